"""A run of a job as the log shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class LoggedRun:
    """One row of a job's timeline."""

    #: Counts every run from 1, also those that used up no attempt.
    run: int
    attempt: int
    #: running, completed, retry, failed, skipped, cancelled, lost, released or postponed.
    outcome: str
    worker: str | None
    started_at: datetime | None
    ended_at: datetime | None
    wait_ms: int | None
    run_ms: int | None
    error: str | None
    traceback: str | None
