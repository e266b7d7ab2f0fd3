"""The sending side of a contender, which the driver commands line by line.

The driver writes ``{"name": "bulk", "args": [1000]}``, the application does it and answers with how long it took. It is a
process of its own, so that every contender is used from a program that knows nothing of the others.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Protocol


class Application(Protocol):
    """What an application does with its job system; loops are inside, in whatever way suits the library."""

    def singles(self, count: int) -> None:
        """Send no-op jobs, one after the other."""

    def bulk(self, count: int) -> None:
        """Send no-op jobs the fastest documented way; one after the other where there is no other."""

    def stamp(self, token: str, delay_ms: int) -> None:
        """Send one job that stamps its token when it starts, now or later."""

    def naps(self, tokens: list[str]) -> None:
        """Send jobs that take a while, then stamp."""


def serve(application: Application) -> None:
    """Obey until the driver closes the pipe."""
    _answer(ready=True)
    for line in sys.stdin:
        order = json.loads(line)
        began_ns, began, cpu = time.time_ns(), time.perf_counter(), time.process_time()
        result = getattr(application, order["name"])(*order["args"])
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        _answer(began_ns=began_ns, seconds=seconds, cpu=cpu, result=result)


def _answer(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()
