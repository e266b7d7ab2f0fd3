"""What one tenant has waiting and running."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TenantLoad:
    """One tenant at one moment."""

    tenant_id: str
    #: Name of its plan, empty where nothing limits it.
    plan: str
    weight: int
    #: Jobs in its lines, over all queues.
    waiting: int
    running: int
    #: Jobs that may run at once, None where nothing limits it.
    concurrency: int | None
    #: It has no free slot, so its lines are passed over until a job of it ends.
    parked: bool
    #: None of its jobs may start.
    paused: bool
    #: Jobs that its rate holds.
    held: int
    #: All its jobs that are not over: also those that wait for their time.
    unfinished: int
    #: Seconds for which the oldest job in its lines could have run, 0 when none waits.
    oldest_wait_seconds: float
    #: Its part of all running jobs of tenants, 0 to 1.
    share: float
