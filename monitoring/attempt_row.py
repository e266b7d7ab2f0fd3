"""A row of ``job_attempts``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(kw_only=True, slots=True)
class AttemptRow:
    """One run of a job. Moments are milliseconds since the epoch."""

    job_id: str
    #: Counts every run of the job from 1.
    run: int
    attempt: int
    #: running, completed, retry, failed, skipped, cancelled, lost, released or postponed.
    outcome: str
    worker: str | None = None
    started_ms: int | None = None
    ended_ms: int | None = None
    wait_ms: int | None = None
    run_ms: int | None = None
    error: str | None = None
    traceback: str | None = None
