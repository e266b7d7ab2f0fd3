"""What Redis said to a send that it did not simply accept."""

from __future__ import annotations

from typing import Any

from .errors import AdmissionError, BacklogFull, IdempotencyConflict, TenantLimitExceeded
from .lease import Admitted

#: What became of a send: None when it was accepted, the id of the job that it repeats, or why it was refused.
Outcome = str | AdmissionError | None


def outcome_of(job: Admitted, answer: int | list[Any], journal_max: int) -> Outcome:
    """Read one answer of ``lua/door.lua`` or ``lua/enqueue_limited.lua`` that is neither "accepted" nor "known already".

    Parameters:
      job: what was sent.
      answer: a number, or a list that begins with one.
      journal_max: most events that the journal takes.
    """
    if answer == 3:
        return BacklogFull(
            f"the journal holds {journal_max} events that are not recorded yet: nothing was sent; "
            "see whether the monitor and PostgreSQL are up"
        )
    if answer == 4:
        return BacklogFull(
            "Redis has used 80% of its memory (maxmemory): nothing was sent; send again when workers have made room, "
            "start more of them or raise maxmemory"
        )
    assert isinstance(answer, list)
    code, detail, *more = answer
    tenant, actor = job[2], job[3]
    if code == 5:
        return BacklogFull(
            f"tenant {tenant} has {detail} unfinished jobs, as many as plan {more[0].decode()} allows: nothing was sent"
        )
    if code == 6:
        first = detail.decode()
        return IdempotencyConflict(
            f"the idempotency_key of this {actor} belongs to job {first}, which has another payload: nothing was sent",
            job_id=first,
        )
    if code == 7:
        return TenantLimitExceeded(f"Rate limit exceeded: {more[0]} jobs/minute", retry_after=detail / 1000)
    return str(detail.decode())
