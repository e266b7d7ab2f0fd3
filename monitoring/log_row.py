"""A row of ``job_logs``, and the states that it may be in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: States that only a new send, a replay or a discard leaves.
FINAL = frozenset({"completed", "failed", "cancelled", "skipped", "discarded"})


@dataclass(kw_only=True, slots=True)
class LogRow:
    """One job as the log shows it. Moments are milliseconds since the epoch, None where there is none."""

    job_id: str
    tenant_id: str
    job_type: str
    queue: str
    created_ms: int
    status: str = "pending"
    #: Attempts that ended: completed, to be retried, failed or skipped.
    attempts: int = 0
    #: None leaves the stored payload as it is.
    payload: dict[str, Any] | None = None
    result: Any = None
    error: str | None = None
    started_ms: int | None = None
    completed_ms: int | None = None
    failed_ms: int | None = None
    idempotency_key: str | None = None
    priority: int | None = None
    scheduled_ms: int | None = None
    worker: str | None = None
    progress: float | None = None
    progress_note: str | None = None
    traceback: str | None = None
    wait_ms: int | None = None
    run_ms: int | None = None

    @property
    def final(self) -> bool:
        """Whether the job is over, as far as the log knows."""
        return self.status in FINAL

    @property
    def closed(self) -> bool:
        """Whether the job is over in a way that the journal never takes back; a failed one can be replayed."""
        return self.final and self.status != "failed"

    def become(self, status: str, at_ms: int) -> None:
        """Change the state; the times that belong to a state come and go with it."""
        self.status = status
        self.completed_ms = at_ms if status == "completed" else None
        if status == "failed":
            self.failed_ms = at_ms
        elif status != "discarded":
            self.failed_ms = None

    def wait_until(self, due_ms: int, at_ms: int) -> None:
        """Become scheduled for a moment, or pending when that is now."""
        later = due_ms > at_ms
        if later:
            self.scheduled_ms = due_ms
        self.become("scheduled" if later else "pending", at_ms)
