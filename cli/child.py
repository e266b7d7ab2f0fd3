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
from .ready_mark import VARIABLE

#: Seconds after which a child that died counts as one that had run well.
SETTLED_SECONDS = 10.0


class Child:
    """One command of ours, as a child in a process group of its own: a terminal's Ctrl-C reaches us only.

    It dies with us, also when we are killed.
    Start it in the main thread: Linux counts the thread that starts a process as its parent.

    Parameters:
      name: what it is called in what we print.
      command: the module that Python runs, and its arguments.
      environment: all that it sees of the environment.
      death_signal: what it gets when we were killed.
      say: prints its name and a line of its output; None lets it write to our own output.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        death_signal: signal.Signals,
        say: Callable[[str, str], None] | None = None,
    ) -> None:
        self.name = name
        self._command = command
        self._environment = environment
        self._death_signal = death_signal
        self._say = say
        self._process: subprocess.Popen[str] | None = None
        self._printer: threading.Thread | None = None
        self._started_at = 0.0
        self._mark = -1
        #: Deaths in a row that came soon after a start.
        self.early_deaths = 0
        #: Those of them in a row in which it had not even begun to work.
        self.failed_starts = 0

    @property
    def pid(self) -> int | None:
        """Its process id, until its death was noticed."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start it."""
        launcher = [sys.executable, "-I", "-S", embedded_launcher.__file__]
        owner = [str(int(self._death_signal)), str(os.getpid()), "-1", "-1"]
        self._mark, mark = os.pipe()
        os.set_blocking(self._mark, False)
        try:
            self._process = subprocess.Popen(
                [*launcher, *owner, sys.executable, "-u", "-m", *self._command],
                stdin=subprocess.DEVNULL,
                stdout=None if self._say is None else subprocess.PIPE,
                stderr=None if self._say is None else subprocess.STDOUT,
                text=True,
                errors="replace",
                env={**self._environment, VARIABLE: str(mark)},
                pass_fds=[mark],
                start_new_session=True,
            )
        finally:
            os.close(mark)
        self._started_at = time.monotonic()
        if self._process.stdout is not None:
            self._printer = threading.Thread(target=self._print, args=(self._process.stdout,), daemon=True)
            self._printer.start()

    def died(self) -> int | None:
        """Its exit code once it has ended, None while it runs; minus a signal's number if that ended it.

        Counts early deaths, so ask until it says so, once. What it has left behind is ended too: jobs that nobody
        watches over are taken back and run elsewhere.
        """
        if self._process is None or self._process.poll() is None:
            return None
        status = self._process.returncode
        self.kill()
        self._process = None
        early = time.monotonic() - self._started_at < SETTLED_SECONDS
        self.early_deaths = self.early_deaths + 1 if early else 0
        self.failed_starts = self.failed_starts + 1 if early and not self._was_ready() else 0
        return status

    def stop(self) -> None:
        """Ask it to end; it finishes what it does."""
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """End it and all that it started."""
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def ended(self) -> bool:
        """Whether nothing runs, and everything that it said is printed."""
        if self._process is not None and self._process.poll() is None:
            return False
        if self._printer is not None:
            self._printer.join(timeout=1.0)
        return True

    def _was_ready(self) -> bool:
        try:
            return os.read(self._mark, 1) != b""
        except BlockingIOError:
            return False
        finally:
            os.close(self._mark)

    def _print(self, lines: IO[str]) -> None:
        assert self._say is not None
        with lines:
            for line in lines:
                self._say(self.name, line.rstrip())
