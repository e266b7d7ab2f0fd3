"""Cancel by filter."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .call import Call
from .route import change

#: Ids that an answer lists; the counts are of all.
IDS_MOST = 1_000


class CancelChoice(BaseModel):
    """Which unfinished jobs; all that is given must hold, and one of queue, tenant and type must be given."""

    model_config = ConfigDict(extra="forbid", strict=True)

    queue: str | None = Field(default=None, max_length=255, description="A queue's name.")
    tenant: str | None = Field(default=None, max_length=255, description="A tenant's id.")
    type: str | None = Field(default=None, max_length=255, description="An actor's name.")
    states: list[Literal["pending", "scheduled", "active"]] = Field(
        default=["pending", "scheduled"],
        min_length=1,
        description="Those in these states; active ones are interrupted.",
    )
    dry_run: bool = Field(default=False, description="Change nothing, tell which would be cancelled.")


def _cancel(call: Call) -> dict[str, Any]:
    wanted: CancelChoice = call.given
    found = call.fleet.broker.cancel_matching(
        queue=wanted.queue, tenant_id=wanted.tenant, actor=wanted.type, states=wanted.states, dry_run=wanted.dry_run
    )
    by_state = {state: getattr(found, state) for state in ("pending", "scheduled", "active")}
    ids = [job_id for job_ids in by_state.values() for job_id in job_ids]
    counts = {state: len(job_ids) for state, job_ids in by_state.items()}
    return {"dry_run": found.dry_run, "matched": found.count, **counts, "job_ids": ids[:IDS_MOST]}


ROUTES = (
    change(
        "/admin/jobs/cancel",
        _cancel,
        "Cancel all unfinished jobs that match.",
        takes=CancelChoice,
    ),
)
