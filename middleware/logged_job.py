"""A job as the log shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .logged_run import LoggedRun


@dataclass(frozen=True, kw_only=True)
class LoggedJob:
    """One row of the job log."""

    job_id: str
    tenant_id: str
    actor: str
    queue: str
    #: pending, scheduled, active, completed, failed, cancelled, skipped or discarded, as it is at this moment.
    status: str
    #: Attempts that have ended.
    attempts: int
    priority: int | None
    #: The arguments, those that the actor redacts left out.
    payload: dict[str, Any] | None
    result: Any
    error: str | None
    traceback: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    failed_at: datetime | None
    scheduled_for: datetime | None
    idempotency_key: str | None
    worker: str | None
    #: 0 to 1, None when the job reports none.
    progress: float | None
    progress_note: str | None
    wait_ms: int | None
    run_ms: int | None
    #: The timeline, oldest first; empty in a list of jobs.
    runs: tuple[LoggedRun, ...] = ()
