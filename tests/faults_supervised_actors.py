"""Actors on the fleet's own broker that hurt their process, and one that does not, for `jobfleet worker`."""

from __future__ import annotations

import os
import re
import signal
import threading
import time

import dramatiq
from run_record import note


@dramatiq.actor(queue_name="report", max_retries=0)
def work(number: int) -> None:
    """Note the start, take some time, note the end."""
    note(f"start {number} {os.getpid()}")
    time.sleep(0.3)
    note(f"end {number} {os.getpid()}")


@dramatiq.actor(queue_name="report", max_retries=0)
def kills_its_worker(number: int) -> None:
    """End the whole process, as a segmentation fault or the kernel's out-of-memory killer would."""
    note(f"start {number} {os.getpid()}")
    os.kill(os.getpid(), signal.SIGKILL)


@dramatiq.actor(queue_name="report", max_retries=0)
def holds_the_interpreter(number: int) -> None:
    """Compute in C code for longer than anybody waits without letting the interpreter go."""
    note(f"start {number} {os.getpid()}")
    re.fullmatch(r"(a+)+b", "a" * 64)


@dramatiq.actor(queue_name="report", max_retries=0, time_limit=500)
def waits_in_c(number: int) -> None:
    """Wait in C code, where no interrupt arrives, with the interpreter let go."""
    note(f"start {number} {os.getpid()}")
    deadlock = threading.Lock()
    deadlock.acquire()
    deadlock.acquire()
