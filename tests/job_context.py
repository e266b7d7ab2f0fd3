"""A running job without a worker: what an actor's function sees around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from jobfleet.broker.job import Job
from jobfleet.broker.lease import Lease, set_current_lease


@contextmanager
def running(
    *, job_id: str = "", tenant_id: str = "42", queue: str = "email", attempt: int = 1, losses: int = 0, run: int = 1
) -> Iterator[Job]:
    """Make this thread run a job until the block ends; ``run`` tells several runs of one job apart."""
    job = Job(
        job_id=job_id or str(uuid4()),
        queue=queue,
        tenant_id=tenant_id,
        actor="a_test",
        attempt=attempt,
        losses=losses,
    )
    set_current_lease(Lease(job=job, worker="a-test", number=run, message=b""))
    try:
        yield job
    finally:
        set_current_lease(None)
