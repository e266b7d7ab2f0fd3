"""Jobs: search in the log, one job with its timeline, cancel, run now."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import Any, Literal

from dramatiq.errors import ConnectionClosed
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ...middleware.job_history import JobHistory
from .call import Call
from .refused import Refused
from .route import change, look


class JobSearch(BaseModel):
    """What to look for; all that is given must hold."""

    model_config = ConfigDict(extra="forbid")

    tenant: str | None = Field(default=None, max_length=255, description="A tenant's id.")
    queue: str | None = Field(default=None, max_length=255, description="A queue's name.")
    status: (
        Literal["pending", "scheduled", "active", "completed", "failed", "cancelled", "skipped", "discarded"] | None
    ) = Field(default=None, description="The state that a job is in now.")
    type: str | None = Field(default=None, max_length=255, description="An actor's name.")
    since: AwareDatetime | None = Field(default=None, description="Sent at this moment or later.")
    until: AwareDatetime | None = Field(default=None, description="Sent before this moment.")
    after: str | None = Field(default=None, max_length=255, description="The field next of the page before.")
    limit: int = Field(default=50, ge=1, le=500, description="Jobs on a page.")


def _search(call: Call) -> dict[str, Any]:
    wanted: JobSearch = call.given
    found = JobHistory(call.fleet.database).jobs(
        queue=wanted.queue,
        tenant=wanted.tenant,
        status=wanted.status,
        actor=wanted.type,
        since=wanted.since,
        before=wanted.until,
        after=wanted.after,
        limit=wanted.limit,
    )
    full = len(found) == wanted.limit
    return {"jobs": [_listed(asdict(job)) for job in found], "next": found[-1].job_id if full else None}


def _listed(job: dict[str, Any]) -> dict[str, Any]:
    """A job as a list shows it: what may be long is left to the job's own page."""
    return {name: value for name, value in job.items() if name not in ("runs", "traceback", "payload", "result")}


def _show(call: Call) -> dict[str, Any]:
    job_id = call.path["job_id"]
    logged = JobHistory(call.fleet.database).job(job_id)
    if logged is not None:
        return {**asdict(logged), "trace_id": _trace_id(call, job_id)}
    # The log is a moment behind.
    state = call.fleet.broker.get(job_id)
    if state is None:
        raise _unknown(job_id)
    return {**asdict(state), "status": state.state, "runs": []}


def _trace_id(call: Call, job_id: str) -> str:
    """The trace of a job that Redis still has; the log can be read without Redis."""
    with suppress(ConnectionClosed):
        state = call.fleet.broker.get(job_id)
        return state.trace_id if state else ""
    return ""


def _why(call: Call) -> dict[str, Any]:
    job_id = call.path["job_id"]
    why = call.fleet.broker.why(job_id)
    if why is None:
        raise _unknown(job_id)
    return asdict(why)


def _cancel(call: Call) -> dict[str, Any]:
    job_id = call.path["job_id"]
    outcome = call.fleet.broker.cancel(job_id)
    if outcome == "unknown":
        raise _unknown(job_id, "or it is over")
    if outcome == "dead":
        raise Refused(409, f"the job {job_id} is a dead letter: replay or discard it")
    return {"job_id": job_id, "outcome": outcome}


def _run_now(call: Call) -> dict[str, Any]:
    job_id = call.path["job_id"]
    outcome = call.fleet.broker.run_now(job_id)
    if outcome == "unknown":
        raise _unknown(job_id, "or it is over")
    if outcome not in ("ready", "held"):
        raise Refused(409, f"the job {job_id} is {outcome}: there is nothing to hurry")
    return {"job_id": job_id, "outcome": outcome}


def _unknown(job_id: str, more: str = "") -> Refused:
    return Refused(404, f"there is no job {job_id!r}{f', {more}' if more else ''}")


ROUTES = (
    look(
        "/admin/jobs",
        _search,
        "Jobs of the log, newest first, a page at a time.",
        takes=JobSearch,
        refusals=(400,),
    ),
    look(
        "/admin/jobs/{job_id}",
        _show,
        "One job with its timeline.",
        refusals=(404,),
    ),
    look(
        "/admin/jobs/{job_id}/why",
        _why,
        "Why a job does not run yet, and when it may.",
        refusals=(404,),
    ),
    change(
        "/admin/jobs/{job_id}/cancel",
        _cancel,
        "Cancel a job: one that waits is over, one that runs is interrupted.",
        refusals=(404, 409),
    ),
    change(
        "/admin/jobs/{job_id}/run-now",
        _run_now,
        "Let a job that waits for its time go to its line at once.",
        refusals=(404, 409),
    ),
)
