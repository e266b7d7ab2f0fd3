"""A row of ``dead_letters``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(kw_only=True, slots=True)
class DeadLetterRow:
    """A job that failed for good, whole. Moments are milliseconds since the epoch."""

    job_id: str
    original_queue: str
    tenant_id: str
    actor: str
    payload: dict[str, Any] | None
    #: The encoded message, base64 of its bytes.
    message: str
    idempotency_key: str | None
    priority: int
    created_ms: int | None
    error: str
    error_type: str
    traceback: str | None
    reason: str
    attempts: int
    failed_ms: int
    status: str = "dead"
    replayed_ms: int | None = None
    discarded_ms: int | None = None

    def settle(self, status: str, at_ms: int) -> None:
        """Become replayed or discarded."""
        self.status = status
        self.replayed_ms = at_ms if status == "replayed" else self.replayed_ms
        self.discarded_ms = at_ms if status == "discarded" else None
