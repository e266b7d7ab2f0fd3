"""Becomes a contender's worker or its application: ``python -m jobfleet.benchmarks.become MODULE ROLE PROCESSES``.

The contender's module is imported under its full name in every process, since libraries name a job after the module.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec

from jobfleet.benchmarks.application import serve

if __name__ == "__main__":
    name, role, processes = sys.argv[1:]
    path = f"jobfleet.benchmarks.contenders.{name}"
    if find_spec(path) is None:
        sys.exit(f"no contender is called {name}")
    module = import_module(path)
    if role == "sender":
        serve(module.application())
    else:
        command: list[str] = module.worker(path, int(processes))
        os.execv(sys.executable, [sys.executable, "-m", *command])
