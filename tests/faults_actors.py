"""Actors that say what happens to them, beside those of ``actors_for_tests``: `dramatiq faults_actors`."""

from __future__ import annotations

import os
import time

import dramatiq
from actors_for_tests import broker
from dramatiq.middleware import Interrupt
from run_record import note

__all__ = ["broker", "flaky", "naps"]


@dramatiq.actor(queue_name="work")
def naps(number: int, seconds: float = 0.0, ballast: str = "") -> None:
    """Take some time in Python code, where an interrupt arrives, and note it if one does."""
    note(f"start {number} {os.getpid()}")
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            time.sleep(0.01)
    except Interrupt as reason:
        note(f"{type(reason).__name__} {number} {os.getpid()}")
        raise
    note(f"end {number} {os.getpid()}")


@dramatiq.actor(queue_name="work", max_retries=3, min_backoff=400, max_backoff=400)
def flaky(number: int) -> None:
    """Fail at the first attempt, succeed at the second."""
    note(f"start {number} {os.getpid()}")
    job = current_attempt()
    if job == 1:
        raise RuntimeError(f"job {number} fails the first time")
    note(f"end {number} {os.getpid()}")


def current_attempt() -> int:
    """Which attempt this is."""
    from jobfleet.broker import current_job

    job = current_job()
    assert job is not None
    return job.attempt
