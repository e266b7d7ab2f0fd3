"""Dead letters: list, show, replay, discard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ...broker.connection import reachable
from ...broker.dead_letter import DeadLetter
from .call import Call
from .refused import Refused
from .route import change, look

#: Dead letters that one request lists or changes at most.
MOST = 1_000


class DeadFilter(BaseModel):
    """Which dead letters; all that is given must hold."""

    model_config = ConfigDict(extra="forbid")

    queue: str | None = Field(default=None, min_length=1, max_length=255, description="A queue's name.")
    tenant: str | None = Field(default=None, min_length=1, max_length=255, description="A tenant's id.")
    actor: str | None = Field(default=None, min_length=1, max_length=255, description="An actor's name.")
    error: str | None = Field(default=None, min_length=1, max_length=1_000, description="A part of the error's text.")
    limit: int = Field(default=100, ge=1, le=MOST, description="The newest so many.")


class DeadChoice(DeadFilter):
    """Which dead letters to change: some by id, or all that match."""

    model_config = ConfigDict(extra="forbid", strict=True)

    job_ids: list[str] | None = Field(default=None, max_length=MOST, description="These, whatever they are.")
    dry_run: bool = Field(default=False, description="Change nothing, tell which would be changed.")
    limit: int = Field(default=MOST, ge=1, le=MOST, description="The newest so many.")

    @model_validator(mode="after")
    def _is_meant(self) -> DeadChoice:
        filters = (self.queue, self.tenant, self.actor, self.error)
        if (self.job_ids is None) == (filters == (None,) * len(filters)):
            raise ValueError("give either job_ids, or at least one of queue, tenant, actor, error")
        return self


def matching(call: Call, limit: int) -> tuple[list[DeadLetter], bool]:
    """The newest dead letters that match what is given, at most `limit`, and whether there are more."""
    wanted: DeadFilter = call.given
    found = call.fleet.broker.dead_letters.list(
        queue=wanted.queue, tenant=wanted.tenant, actor=wanted.actor, error=wanted.error, limit=limit + 1
    )
    return found[:limit], len(found) > limit


def _list(call: Call) -> list[dict[str, Any]]:
    letters, _ = matching(call, call.given.limit)
    return _shown(call, letters)


def _show(call: Call) -> dict[str, Any]:
    job_id = call.path["job_id"]
    letter = call.fleet.broker.dead_letters.show(job_id)
    if letter is None:
        raise Refused(404, f"there is no dead letter {job_id!r}")
    (shown,) = _shown(call, [letter])
    return {**shown, "traceback": letter.traceback}


def _replay(call: Call) -> dict[str, Any]:
    return _changed(call, call.fleet.broker.dead_letters.replay)


def _discard(call: Call) -> dict[str, Any]:
    return _changed(call, call.fleet.broker.dead_letters.discard)


def _changed(call: Call, change: Callable[[list[str]], list[str]]) -> dict[str, Any]:
    """What replay and discard have in common: which are meant, how many, and those that were changed."""
    wanted: DeadChoice = call.given
    if wanted.job_ids is None:
        letters, more = matching(call, wanted.limit)
        chosen = [letter.job_id for letter in letters]
    else:
        chosen, more = _by_id(call, wanted.job_ids), False
    job_ids = chosen if wanted.dry_run else change(chosen)
    return {"dry_run": wanted.dry_run, "matched": len(chosen), "more": more, "job_ids": job_ids}


def _by_id(call: Call, job_ids: list[str]) -> list[str]:
    letters = call.fleet.broker.dead_letters
    return [job_id for job_id in dict.fromkeys(job_ids) if letters.show(job_id)]


def _shown(call: Call, letters: Sequence[DeadLetter]) -> list[dict[str, Any]]:
    """Dead letters with the plans of their tenants, and without their messages, in which nothing is redacted."""
    broker = call.fleet.broker
    with reachable(broker.client):
        plans = broker.limits.plans_of({letter.tenant_id for letter in letters})
    hidden = ("message", "traceback")
    return [
        {name: value for name, value in asdict(letter).items() if name not in hidden}
        | {"plan": plans[letter.tenant_id]}
        for letter in letters
    ]


ROUTES = (
    look(
        "/admin/dead",
        _list,
        "The newest dead letters.",
        takes=DeadFilter,
    ),
    look(
        "/admin/dead/{job_id}",
        _show,
        "One dead letter with its traceback.",
        refusals=(404,),
    ),
    change(
        "/admin/dead/replay",
        _replay,
        "Send dead letters again: same ids, a new budget of attempts.",
        takes=DeadChoice,
    ),
    change(
        "/admin/dead/discard",
        _discard,
        "Give dead letters up for good.",
        takes=DeadChoice,
    ),
)
