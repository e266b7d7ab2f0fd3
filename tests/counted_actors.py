"""Actors of an application whose runs end in every way that is counted: `jobfleet worker counted_actors`."""

from __future__ import annotations

import os
import time
from pathlib import Path

from jobfleet.actors import actor
from jobfleet.broker import current_job


@actor(queue_name="report")
def good(*, tenant_id: str, number: int = 0) -> None:
    """Succeed."""


@actor(queue_name="report", max_retries=2, min_backoff=1, max_backoff=1)
def second_time(*, tenant_id: str) -> None:
    """Fail at the first attempt."""
    job = current_job()
    if job is None or job.attempt == 1:
        raise ValueError("the first time")


@actor(queue_name="export", max_retries=0)
def never(*, tenant_id: str) -> None:
    """Fail for good."""
    raise RuntimeError("as always")


@actor(queue_name="ai")
def until_told(*, tenant_id: str) -> None:
    """Run until somebody makes a file."""
    while not Path(os.environ["TOLD_FILE"]).exists():
        time.sleep(0.02)
