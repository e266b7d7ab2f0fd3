"""Actors on the fleet's own broker that hurt their process, and one that does not, for `jobfleet worker`."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from pathlib import Path

import dramatiq


def note(line: str) -> None:
    """Append one line to the run's record; O_APPEND keeps lines of several processes whole."""
    handle = os.open(Path(os.environ["RECORD_FILE"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, f"{line} {os.getpid()}\n".encode())
    finally:
        os.close(handle)


@dramatiq.actor(queue_name="report", max_retries=0)
def work(number: int) -> None:
    """Note the start, take some time, note the end."""
    note(f"start {number}")
    time.sleep(0.3)
    note(f"end {number}")


@dramatiq.actor(queue_name="report", max_retries=0)
def kills_its_worker(number: int) -> None:
    """End the whole process, as a segmentation fault or the kernel's out-of-memory killer would."""
    note(f"start {number}")
    os.kill(os.getpid(), signal.SIGKILL)


@dramatiq.actor(queue_name="report", max_retries=0)
def holds_the_interpreter(number: int) -> None:
    """Compute in C code for longer than anybody waits without letting the interpreter go."""
    note(f"start {number}")
    re.fullmatch(r"(a+)+b", "a" * 64)


@dramatiq.actor(queue_name="report", max_retries=0, time_limit=500)
def waits_in_c(number: int) -> None:
    """Wait in C code, where no interrupt arrives, with the interpreter let go."""
    note(f"start {number}")
    deadlock = threading.Lock()
    deadlock.acquire()
    deadlock.acquire()
