"""Commands on one job that does not run yet: why, and run now."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from ..broker.errors import JobfleetError
from ..broker.reason import Reason
from ..broker.why import Why
from .filters import AsJson
from .fleet_context import fleet_context
from .tables import duration, moment, print_json, printable, say

JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id, as send() returned it.", show_default=False)]

#: What run-now answers, in words.
ANSWERS = {
    "ready": "is in its line now",
    "held": "is held for its tenant's rate, and stays held: limits are exact (see `jobfleet why`)",
    "waiting": "waits in its line already (see `jobfleet why`)",
    "active": "runs already",
    "dead": "is dead: replay it with `jobfleet dead replay`",
    "unknown": "is not there: it is over, or there never was one of this id",
}


def why(job_id: JobId, as_json: AsJson = False) -> None:
    """Say why a job does not run yet, and when it may; or what became of it.

    What stands in its way first comes first: a pause, no worker, its tenant's limits, a delay or a backoff, its turn.

    \b
    Examples:
      jobfleet why 0b9a3b52-7f6e-4a6c-8a43-27c5a3f9a7c1
      jobfleet jobs why 0b9a3b52-7f6e-4a6c-8a43-27c5a3f9a7c1 --json
    """
    with fleet_context() as fleet:
        fleet.without_archive_if_away()
        found = fleet.broker.why(job_id)
    if found is None:
        raise JobfleetError(f"unknown job {job_id}: there is none of this id")
    if as_json:
        print_json(vars(found) | {"may_run_ms": found.may_run_ms})
    else:
        _print(found)


def run_now(job_id: JobId) -> None:
    """Let a job that waits for its time, a delay or a backoff, go to the end of its line at once.

    What a tenant's rate holds stays held. Exit code 1 when there was nothing to do.

    \b
    Example:
      jobfleet jobs run-now 0b9a3b52-7f6e-4a6c-8a43-27c5a3f9a7c1
    """
    with fleet_context() as fleet:
        answer = fleet.broker.run_now(job_id)
    say(f"{job_id} {ANSWERS[answer]}")
    if answer != "ready":
        raise typer.Exit(1)


def _print(found: Why) -> None:
    say(f"{found.job_id} is {found.state}: {found.actor} of tenant {found.tenant_id} in {found.queue}")
    now_ms = found.now_ms or int(time.time() * 1000)
    for reason in found.reasons:
        say(f"  {printable(' '.join(reason.text.split()))}{_times(reason, now_ms)}")


def _times(reason: Reason, now_ms: int) -> str:
    if reason.until_ms is not None:
        left = reason.until_ms - now_ms
        return f", until {moment(reason.until_ms)} (in {duration(left)})" if left > 0 else ", which is over about now"
    if reason.since_ms:
        return f", since {moment(reason.since_ms)} ({duration(max(0, now_ms - reason.since_ms))} ago)"
    return ""
