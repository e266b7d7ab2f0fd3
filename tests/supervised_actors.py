"""Actors of an application on the fleet's own broker, for worker processes that tests start with `jobfleet worker`."""

from __future__ import annotations

import os
import signal
import threading
import time

import dramatiq
from run_record import note

from jobfleet.broker import health

# A run that nothing interrupts counts as stuck at once instead of after half a minute.
health.STUCK_AFTER = 0.2


@dramatiq.actor(queue_name="report", max_retries=0)
def work(number: int, seconds: float = 0.0) -> None:
    """Note the start, take some time, note the end."""
    note(f"start {number} {os.getpid()}")
    time.sleep(seconds)
    note(f"end {number} {os.getpid()}")


@dramatiq.actor(queue_name="report", max_retries=0)
def kills_its_worker(number: int) -> None:
    """End the whole process, as the kernel does when there is no memory left."""
    os.kill(os.getpid(), signal.SIGKILL)


@dramatiq.actor(queue_name="report", max_retries=0, time_limit=200)
def waits_in_c(number: int) -> None:
    """Wait where no interrupt arrives: the thread is lost, and the process with it."""
    deadlock = threading.Lock()
    deadlock.acquire()
    deadlock.acquire()
