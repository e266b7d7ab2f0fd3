"""Actors of an application, for worker processes that tests start: `dramatiq actors_for_tests`."""

from __future__ import annotations

import os
import threading
import time

import dramatiq
from run_record import note

from jobfleet.broker import FairBroker

broker = FairBroker(os.environ["REDIS_URL"])
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name="work")
def work(number: int, seconds: float = 0.0) -> None:
    """Note the start, take some time, note the end."""
    note(f"start {number} {os.getpid()}")
    if seconds:
        time.sleep(seconds)
    note(f"end {number} {os.getpid()}")


@dramatiq.actor(queue_name="work", max_retries=3, min_backoff=50, max_backoff=100)
def fails(number: int) -> None:
    """Fail each time."""
    note(f"start {number} {os.getpid()}")
    raise RuntimeError(f"job {number} fails")


@dramatiq.actor(queue_name="work", max_retries=0, time_limit=500)
def waits_in_c(number: int) -> None:
    """Wait in C code, where no interrupt arrives, with the interpreter let go."""
    note(f"start {number} {os.getpid()}")
    deadlock = threading.Lock()
    deadlock.acquire()
    deadlock.acquire()
