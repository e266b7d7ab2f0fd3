"""What the jobs of a benchmark leave behind, the same for every contender.

A worker process counts its no-op jobs in a file that it has mapped (a fifth of a microsecond a job), and writes a line
for each job whose moment matters. The driver reads these files; nothing of it passes through the broker.
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


#: Threads of one process that may count.
CELLS = 256


class Marks:
    """The marks that one worker process leaves; it may be forked after this was made."""

    def __init__(self) -> None:
        self._directory = Path(os.environ[VARIABLE])
        self._lock = threading.Lock()
        self._local = threading.local()
        self._pid = 0
        self._threads = 0
        self._view = memoryview(bytearray(8)).cast("Q")
        self._stamps = -1

    def count(self) -> None:
        """One no-op job has run. Each thread counts in a cell of its own: a lock would cost five times as much."""
        try:
            self._local.cell[0] += 1
        except AttributeError:
            self._local.cell = self._cell()
            self._local.cell[0] += 1

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

    def _cell(self) -> memoryview[int]:
        with self._lock:
            if self._pid != os.getpid():
                self._open()
            self._threads += 1
            return self._view[self._threads - 1 : self._threads]

    def _open(self) -> None:
        self._pid, self._threads = os.getpid(), 0
        counters = os.open(self._directory / f"{self._pid}.count", os.O_RDWR | os.O_CREAT)
        os.ftruncate(counters, 8 * CELLS)
        self._view = memoryview(mmap.mmap(counters, 8 * CELLS)).cast("Q")
        self._stamps = os.open(self._directory / f"{self._pid}.stamps", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
