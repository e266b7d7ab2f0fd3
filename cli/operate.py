"""Commands on dead letters: list, show, replay, discard."""

from __future__ import annotations

from typing import Annotated

import typer

from ..broker.dead_letter import DeadLetter
from ..broker.errors import JobfleetError
from .confirmation import DryRun, Yes, confirm
from .dead_choice import chosen_ids, dead_letters_of, in_batches, plans_of
from .dead_letter_report import dead_letter_object, print_dead_letter
from .filters import ActorFilter, AsJson, ErrorFilter, QueueFilter, TenantFilter
from .tables import Column, moment, print_json, print_table, say

dead = typer.Typer(
    name="dead",
    help="List, show, replay or discard jobs that failed for good.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

COLUMNS = (
    Column("job"),
    Column("queue"),
    Column("tenant"),
    Column("plan"),
    Column("actor"),
    Column("attempts", number=True),
    Column("reason"),
    Column("failed"),
    Column("error", flexible=True),
)

JobIds = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Ids of dead letters.")]
All = Annotated[bool, typer.Option("--all", help="All that match the filters, or all there are.")]
Most = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most with --all.")]


@dead.command("list")
def list_dead(
    queue: QueueFilter = None,
    tenant: TenantFilter = None,
    actor: ActorFilter = None,
    error: ErrorFilter = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the newest first.

    \b
    Examples:
      jobfleet dead list
      jobfleet dead list --queue webhook --error "410" --json
    """
    with dead_letters_of(queue) as fleet:
        letters = fleet.broker.dead_letters.list(queue=queue, tenant=tenant, actor=actor, error=error, limit=limit)
        plans = plans_of(fleet, letters)
    if as_json:
        print_json([dead_letter_object(letter, plans[letter.tenant_id]) for letter in letters])
    elif letters:
        print_table(COLUMNS, [_row(letter, plans[letter.tenant_id]) for letter in letters])
    else:
        say("no dead letters")


@dead.command("show")
def show_dead(
    job_id: Annotated[str, typer.Argument(help="The job's id.", show_default=False)], as_json: AsJson = False
) -> None:
    """Show why a job is dead, with its arguments and the traceback.

    \b
    Example:
      jobfleet dead show 0b9a3b52-7f6e-4a6c-8a43-27c5a3f9a7c1
    """
    with dead_letters_of(None) as fleet:
        letter = fleet.broker.dead_letters.show(job_id)
        if letter is None:
            raise JobfleetError(f"unknown dead letter {job_id}: no job of this id is dead (see `jobfleet jobs show`)")
        plan = plans_of(fleet, [letter])[letter.tenant_id]
    if as_json:
        print_json(dead_letter_object(letter, plan))
    else:
        print_dead_letter(letter, plan)


@dead.command("replay")
def replay(
    job_ids: JobIds = None,
    everything: All = False,
    queue: QueueFilter = None,
    tenant: TenantFilter = None,
    actor: ActorFilter = None,
    error: ErrorFilter = None,
    limit: Most = 10_000,
    dry_run: DryRun = False,
) -> None:
    """Send dead letters again: same ids, a new budget of attempts.

    \b
    Examples:
      jobfleet dead replay 0b9a3b52-7f6e-4a6c-8a43-27c5a3f9a7c1
      jobfleet dead replay --all --queue webhook --error "503" --dry-run
    """
    with dead_letters_of(queue) as fleet:
        filters = {"queue": queue, "tenant": tenant, "actor": actor, "error": error}
        chosen = chosen_ids(fleet, job_ids, everything, filters, limit)
        if dry_run:
            say(f"{_count(len(chosen))} would be replayed")
            return
        done = in_batches("replaying", chosen, fleet.broker.dead_letters.replay)
    say(f"{_count(done)} replayed{_left(len(chosen) - done)}")


@dead.command("discard")
def discard(
    job_ids: JobIds = None,
    everything: All = False,
    queue: QueueFilter = None,
    tenant: TenantFilter = None,
    actor: ActorFilter = None,
    error: ErrorFilter = None,
    limit: Most = 10_000,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Give dead letters up for good; the job log keeps them as discarded.

    \b
    Examples:
      jobfleet dead discard 0b9a3b52-7f6e-4a6c-8a43-27c5a3f9a7c1
      jobfleet dead discard --all --tenant 42 --yes
    """
    with dead_letters_of(queue) as fleet:
        filters = {"queue": queue, "tenant": tenant, "actor": actor, "error": error}
        chosen = chosen_ids(fleet, job_ids, everything, filters, limit)
        if dry_run:
            say(f"{_count(len(chosen))} would be discarded")
            return
        if chosen and not yes:
            confirm(f"Discard {_count(len(chosen))} for good?", "discarded")
        done = in_batches("discarding", chosen, fleet.broker.dead_letters.discard)
    say(f"{_count(done)} discarded{_left(len(chosen) - done)}")


def _count(number: int) -> str:
    return f"{number} dead letter" + ("" if number == 1 else "s")


def _left(number: int) -> str:
    return f", {number} were not dead any more" if number else ""


def _row(letter: DeadLetter, plan: str) -> list[object]:
    return [
        letter.job_id,
        letter.queue,
        letter.tenant_id,
        plan,
        letter.actor,
        letter.attempts,
        letter.reason,
        moment(letter.failed_ms),
        letter.error,
    ]
