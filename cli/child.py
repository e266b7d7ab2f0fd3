"""A process of a fleet that runs on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO

from . import embedded_launcher

#: Seconds after which a child that died counts as one that had started well.
SETTLED_SECONDS = 10.0


class Child:
    """One command of ours, as a child in a process group of its own: a terminal's Ctrl-C reaches us only.

    What it prints is printed by us, line by line, with its name in front. It dies with us, also when we are killed.
    Start it in the main thread: Linux counts the thread that starts a process as its parent.

    Parameters:
      name: what its lines begin with.
      arguments: of the command ``jobfleet``.
      environment: all that it sees of the environment.
      say: prints a line.
    """

    def __init__(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        self.name = name
        self._arguments = arguments
        self._environment = environment
        self._say = say
        self._process: subprocess.Popen[str] | None = None
        self._printer: threading.Thread | None = None
        self._started_at = 0.0
        #: Deaths in a row that came soon after a start.
        self.early_deaths = 0

    @property
    def pid(self) -> int | None:
        """Its process id, until its death was noticed."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start it."""
        launcher = [sys.executable, "-I", "-S", embedded_launcher.__file__]
        owner = [str(int(signal.SIGKILL)), str(os.getpid()), "-1", "-1"]
        command = [sys.executable, "-u", "-m", "jobfleet.cli", *self._arguments]
        self._process = subprocess.Popen(
            [*launcher, *owner, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=dict(self._environment),
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._printer = threading.Thread(target=self._print, args=(self._process.stdout,), daemon=True)
        self._printer.start()
        self._started_at = time.monotonic()

    def died(self) -> int | None:
        """Its exit code once it has ended, None while it runs; counts early deaths, so ask until it says so, once."""
        if self._process is None:
            return None
        status = self._process.poll()
        if status is None:
            return None
        self._process = None
        early = time.monotonic() - self._started_at < SETTLED_SECONDS
        self.early_deaths = self.early_deaths + 1 if early else 0
        return status

    def stop(self) -> None:
        """Ask it to end; it finishes what it does."""
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """End it and all that it started."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def ended(self) -> bool:
        """Whether nothing runs, and everything that it said is printed."""
        if self._process is not None and self._process.poll() is None:
            return False
        if self._printer is not None:
            self._printer.join(timeout=1.0)
        return True

    def _print(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                self._say(f"{self.name:<8}| {line.rstrip()}")
