"""What the jobs of a benchmark leave behind, the same for every contender.

A worker process counts its no-op jobs in eight bytes of a file that it has mapped (a quarter of a microsecond a job), and
writes a line for each job whose moment matters. The driver reads these files; nothing of it passes through the broker.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from pathlib import Path

#: The variable that names the folder of the marks.
VARIABLE = "BENCH_MARKS"

#: Seconds that a job of the recovery measurement takes.
NAP_SECONDS = 0.05


class Marks:
    """The marks that one worker process leaves; it may be forked after this was made."""

    def __init__(self) -> None:
        self._directory = Path(os.environ[VARIABLE])
        self._lock = threading.Lock()
        self._pid = 0
        self._total = 0
        self._view = memoryview(bytearray(8)).cast("Q")
        self._stamps = -1

    def count(self) -> None:
        """One no-op job has run."""
        with self._lock:
            if self._pid != os.getpid():
                self._open()
            self._total += 1
            self._view[0] = self._total

    def stamp(self, token: str) -> None:
        """The job of this token has just been reached."""
        now = time.time_ns()
        with self._lock:
            if self._pid != os.getpid():
                self._open()
        os.write(self._stamps, f"{token} {now}\n".encode())

    def nap(self, token: str) -> None:
        """Take NAP_SECONDS, then stamp."""
        time.sleep(NAP_SECONDS)
        self.stamp(token)

    def _open(self) -> None:
        self._pid, self._total = os.getpid(), 0
        counter = os.open(self._directory / f"{self._pid}.count", os.O_RDWR | os.O_CREAT)
        os.ftruncate(counter, 8)
        self._view = memoryview(mmap.mmap(counter, 8)).cast("Q")
        self._stamps = os.open(self._directory / f"{self._pid}.stamps", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
