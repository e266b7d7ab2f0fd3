"""Why a job does not run yet, or what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from .job_state import JobState
from .reason import Reason
from .reasons import STATES, reasons_of
from .scripts import Scripts, unpack
from .settings import settings


@dataclass(frozen=True, kw_only=True)
class Why:
    """What decides when one job runs, at one moment."""

    job_id: str
    #: As in ``JobState``.
    state: str
    queue: str
    tenant_id: str
    actor: str
    #: What stands in its way first, its turn last; never empty.
    reasons: tuple[Reason, ...]
    #: By the server's clock, ms since the epoch; 0 when the answer is the job log's.
    now_ms: int = 0

    @property
    def may_run_ms(self) -> int | None:
        """When it may run at the earliest, ms since the epoch; None where nobody knows, as for a pause."""
        moments = [reason.until_ms for reason in self.reasons if reason.until_ms is not None]
        return max(moments, default=None)

    def __str__(self) -> str:
        return f"{self.job_id} is {self.state}: {'; '.join(map(str, self.reasons))}"


def ask_why(scripts: Scripts, job_id: str) -> Why | None:
    """What Redis knows, None when it does not know the job.

    Raises:
      redis.RedisError: the server is away.
    """
    packed = scripts.call("why", job_id)
    if packed is None:
        return None
    facts = unpack(packed)
    queue = settings().queues.get(facts["queue"])
    return Why(
        job_id=job_id,
        state=STATES[facts["place"]],
        queue=facts["queue"],
        tenant_id=facts["tenant"],
        actor=facts["actor"],
        reasons=reasons_of(facts, (queue.rate_per_second if queue else None) or 0),
        now_ms=int(facts["now"]),
    )


def why_over(job: JobState) -> Why:
    """The answer for a job that only the job log knows."""
    attempts = f"{job.attempts} attempt{'' if job.attempts == 1 else 's'}"
    reason = Reason(kind="over", text=f"it is over: {job.state} after {attempts}", since_ms=job.since_ms or None)
    return Why(
        job_id=job.job_id,
        state=job.state,
        queue=job.queue,
        tenant_id=job.tenant_id,
        actor=job.actor,
        reasons=(reason,),
    )
