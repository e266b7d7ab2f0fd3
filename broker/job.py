"""What a running actor may know of its job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: The tenant of jobs that belong to none; no tenant's id may contain an @.
SYSTEM = "@system"


@dataclass(frozen=True, slots=True)
class Job:
    """A tenant's piece of work, as its current run sees it."""

    job_id: str
    queue: str
    tenant_id: str
    actor: str
    #: Which attempt this run is, from 1.
    attempt: int
    #: Workers that were lost while they ran it.
    losses: int

    def fields(self) -> dict[str, Any]:
        """What a log line says of it."""
        return {
            "job_id": self.job_id,
            "tenant": self.tenant_id,
            "queue": self.queue,
            "actor": self.actor,
            "attempt": self.attempt,
        }
