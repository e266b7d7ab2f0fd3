"""A server process that belongs to this process."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ..broker.errors import ConfigurationError
from . import embedded_launcher

#: Seconds that a server gets to come up; it may have a crash to recover from.
START_SECONDS = 60.0

#: Seconds that a server gets to end by itself before it is killed, and that a predecessor gets to be gone.
STOP_SECONDS = 20.0


class EmbeddedProcess:
    """One server: a child of ours that leaves nothing behind and dies with us, also when we are killed.

    The server itself holds a file lock, together with every process that it forks. Who can take the lock knows that
    nothing of an earlier run is left; so no two servers ever work on the same data, not even for the moment in which
    the server of a killed fleet is still on its way out.

    It is started in a session of its own: the terminal's Ctrl-C is for us, who stop the server last.

    Parameters:
      directory: where its log and lock are; it exists.
      name: what it is called there and in errors.
      stop_signal: what makes it end soon and in good order.
      death_signal: what it gets when we were killed; the stop_signal if None.
    """

    def __init__(
        self, directory: Path, name: str, *, stop_signal: signal.Signals, death_signal: signal.Signals | None = None
    ) -> None:
        self.log = directory / f"{name}.log"
        self._lock = directory / f"{name}.lock"
        self._name = name
        self._stop_signal = stop_signal
        self._death_signal = death_signal or stop_signal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id, or None when it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self, command: Sequence[str], *, user: tuple[int, int] | None = None, stale: Path | None = None) -> None:
        """Start the server; ``wait_until`` tells when it is of use.

        Parameters:
          command: the binary's path and its arguments.
          user: the user and group to run as, when we are root and the server refuses to be.
          stale: a file by which a server that crashed still claims the data; it is removed first.

        Raises:
          ConfigurationError: another process's server works on this directory.
        """
        if self.pid is not None:
            return
        numbers = [self._death_signal, os.getpid(), *(user or (-1, -1))]
        launcher = [sys.executable, "-I", "-S", embedded_launcher.__file__, *(str(int(number)) for number in numbers)]
        with self._locked() as lock, self.log.open("ab") as log:
            if stale is not None:
                stale.unlink(missing_ok=True)
            self._process = subprocess.Popen(
                [*launcher, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # The server's own user may not be allowed where we are, and PG* variables would reconfigure it.
                cwd="/",
                env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
                start_new_session=True,
                pass_fds=[lock.fileno()],
            )
            lock.truncate(0)
            lock.write(f"{self._process.pid} {os.getpid()}")
            lock.flush()

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait until the server answers; when we are interrupted meanwhile, it ends.

        Raises:
          ConfigurationError: it ended, or it took too long; with the end of its log.
        """
        answered = False
        try:
            answered = self._becomes(ready)
        finally:
            if not answered:
                self.kill()
        if not answered:
            raise ConfigurationError(f"the embedded {self._name} server did not start: {self._last_words()}")

    def _becomes(self, ready: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while self.pid is not None and time.monotonic() < deadline:
            if ready():
                return True
            time.sleep(0.01)
        return False

    def stop(self) -> None:
        """End the server in good order; returns when nothing of it is left."""
        self._end(self._stop_signal)

    def kill(self) -> None:
        """End the server as a crash would; returns when nothing of it is left."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        with self._locked():
            pass

    @contextmanager
    def _locked(self) -> Iterator[IO[str]]:
        with self._lock.open("a+") as lock:
            deadline = time.monotonic() + STOP_SECONDS
            while not _try_lock(lock):
                self._end_orphan(lock)
                if time.monotonic() > deadline:
                    raise ConfigurationError(f"another {self._name} server still works in {self._lock.parent}")
                time.sleep(0.02)
            yield lock

    def _end_orphan(self, lock: IO[str]) -> None:
        """Ask a server whose owner is gone to end; on Linux it was told so already."""
        lock.seek(0)
        with suppress(ValueError, OSError):
            server, owner = map(int, lock.read().split())
            if not _alive(owner):
                os.kill(server, self._stop_signal)

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-3:]) or f"it said nothing in {self.log}"


def _try_lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it is there, and somebody else's
    return True
