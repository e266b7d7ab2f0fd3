"""Commands that end jobs which have not run: cancel, and purge of a queue."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ..broker.cancelled_jobs import CancelledJobs
from .confirmation import DryRun, Yes, confirm
from .filters import ActorFilter, AsJson, QueueFilter, TenantFilter
from .fleet_context import FleetContext, fleet_context
from .tables import print_json, say

#: What a cancel of one job answers, in words.
ANSWERS = {
    "cancelled": "cancelled",
    "cancelling": "runs: its worker is told to stop it",
    "dead": "is dead: discard it with `jobfleet dead discard`",
    "unknown": "is not there: it is over, or there never was one of this id",
}


class CancelState(StrEnum):
    """States of jobs that can be cancelled."""

    PENDING = "pending"
    SCHEDULED = "scheduled"
    ACTIVE = "active"


def cancel(
    job_ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Ids of jobs.", show_default=False)] = None,
    queue: QueueFilter = None,
    tenant: TenantFilter = None,
    actor: ActorFilter = None,
    states: Annotated[
        list[CancelState] | None,
        typer.Option("--state", help="Only jobs in this state; may be repeated. Default: pending and scheduled."),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Cancel jobs by their ids, or all that match filters.

    Waiting ones are over at once. Running ones only if they are named, or asked for with --state active: their
    workers interrupt them at the next heartbeat. Exit code 1 when an id is not that of a job which could be cancelled.

    \b
    Examples:
      jobfleet cancel 0b9a3b52-7f6e-4a6c-8a43-27c5a3f9a7c1
      jobfleet cancel --queue email --actor send_email --dry-run
      jobfleet cancel --tenant 42 --state pending --state active --yes
    """
    filters = {"queue": queue, "tenant_id": tenant, "actor": actor}
    if job_ids and (any(filters.values()) or states or dry_run):
        raise typer.BadParameter("give ids, or filters, not both")
    if not job_ids and not any(filters.values()):
        raise typer.BadParameter("give the ids of jobs, or filters: --queue, --tenant, --actor")
    with fleet_context() as fleet:
        if job_ids:
            _cancel_each(fleet, job_ids, as_json)
            return
        fleet.check_queue(queue)
        wanted = [state.value for state in states or (CancelState.PENDING, CancelState.SCHEDULED)]
        if not dry_run and not yes:
            found = fleet.broker.cancel_matching(**filters, states=wanted, dry_run=True)
            if not found.count:
                say("no such jobs")
                return
            confirm(f"Cancel {_jobs(found.count)} for good?", "cancelled")
        _report(fleet.broker.cancel_matching(**filters, states=wanted, dry_run=dry_run), as_json)


def purge(
    queue: Annotated[str, typer.Argument(help="The queue's name.", show_default=False)],
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Cancel all jobs of a queue that wait, now or for their time. What runs goes on, and what is dead stays.

    \b
    Examples:
      jobfleet queues purge analytics --dry-run
      jobfleet queues purge analytics --yes
    """
    with fleet_context() as fleet:
        fleet.check_queue(queue)
        count = fleet.broker.purge(queue, dry_run=True)
        if dry_run:
            say(f"{_jobs(count)} of {queue} would be cancelled")
            return
        if count and not yes:
            confirm(f"Cancel {_jobs(count)} of {queue} for good?", "purged")
        say(f"{_jobs(fleet.broker.purge(queue))} of {queue} cancelled")


def _cancel_each(fleet: FleetContext, job_ids: list[str], as_json: bool) -> None:
    answers = {job_id: fleet.broker.cancel(job_id) for job_id in dict.fromkeys(job_ids)}
    if as_json:
        print_json(answers)
    else:
        for job_id, answer in answers.items():
            say(f"{job_id} {ANSWERS[answer]}")
    if not set(answers.values()) <= {"cancelled", "cancelling"}:
        raise typer.Exit(1)


def _report(done: CancelledJobs, as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    would = "would be " if done.dry_run else ""
    parts = [f"{_jobs(done.over)} {would}cancelled"]
    if done.active:
        parts.append(f"{_jobs(len(done.active))} that {'runs' if len(done.active) == 1 else 'run'} {would}interrupted")
    say(", ".join(parts))


def _jobs(count: int) -> str:
    return f"{count:,} job" + ("" if count == 1 else "s")
