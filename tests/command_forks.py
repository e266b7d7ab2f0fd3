"""Runs the command ``jobfleet`` in processes forked from this one, which has imported it: ``python command_forks.py``.

Most of a short command's time is the import of what it is made of, half a second of a core, and the tests run some two
hundred of them. Importing does nothing to the world and reads no setting (``test_import.py``), so a fork of a process
that has imported everything is what a fresh one would be.

1. A line on standard input is a list of commands: arguments, environment, and the files for what they print.
2. They are forked, all at once; each is a process with a session of its own, and ends like any other.
3. A line on standard output is the list of their exit statuses.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from typing import Any

from jobfleet.cli.main import main

#: Seconds after which a command that runs on is ended by SIGALRM.
PATIENCE = 60


def become(command: dict[str, Any]) -> None:
    """Be a process that was just started as the command."""
    os.setsid()
    signal.alarm(PATIENCE)
    os.environ.clear()
    os.environ.update(command["environment"])
    sys.argv = ["jobfleet", *command["arguments"]]
    for number, path in ((0, os.devnull), (1, command["output"]), (2, command["errors"])):
        opened = os.open(path, os.O_RDWR)
        os.dup2(opened, number)
        os.close(opened)


def serve() -> None:
    """Run what comes until nothing more does; also the beginning of each command."""
    gc.freeze()
    while line := sys.stdin.readline():
        children = []
        for command in json.loads(line):
            pid = os.fork()
            if pid == 0:
                become(command)
                main()
                return
            children.append(pid)
        statuses = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
        sys.stdout.write(json.dumps(statuses) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
