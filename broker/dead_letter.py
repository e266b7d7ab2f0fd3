"""A job that failed for good."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """All that is needed to understand a failure and to run the job again."""

    job_id: str
    queue: str
    tenant_id: str
    actor: str
    priority: int
    #: Attempts that were used up.
    attempts: int
    #: Why it is dead, in one word: exhausted, permanent, unhandled, ...
    reason: str
    #: The error's type and text.
    error: str
    error_type: str
    traceback: str
    #: When it was sent and when it died, ms since the epoch.
    created_ms: int
    failed_ms: int
    key: str
    #: The encoded message as it ran last.
    message: bytes
    #: It has left Redis; PostgreSQL alone holds it.
    archived: bool = False
