"""What a running actor may know of its job."""

from __future__ import annotations

from dataclasses import dataclass

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
