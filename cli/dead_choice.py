"""Which dead letters a command means, and acting on them a batch at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import typer
from rich.progress import track

from ..broker.connection import reachable
from ..broker.dead_letter import DeadLetter
from ..broker.errors import JobfleetError
from .fleet_context import FleetContext, fleet_context
from .tables import note

#: Dead letters that are replayed or discarded in one go.
BATCH = 100


@contextmanager
def dead_letters_of(queue: str | None) -> Iterator[FleetContext]:
    """The fleet, when its database is away with what Redis holds."""
    with fleet_context() as fleet:
        fleet.check_queue(queue)
        fleet.without_archive_if_away()
        yield fleet


def chosen_ids(
    fleet: FleetContext,
    job_ids: Sequence[str] | None,
    everything: bool,
    filters: Mapping[str, str | None],
    limit: int,
) -> list[str]:
    """The ids that are meant.

    Raises:
      typer.BadParameter: neither or both of ids and --all.
      JobfleetError: one of the ids is not that of a dead letter, or a filter is empty.
    """
    if job_ids and (everything or any(filters.values())):
        raise typer.BadParameter("give ids, or --all with filters, not both")
    if job_ids:
        ids = list(dict.fromkeys(job_ids))
        unknown = [job_id for job_id in ids if fleet.broker.dead_letters.show(job_id) is None]
        if unknown:
            raise JobfleetError(f"unknown dead letter {', '.join(unknown)}: nothing was done")
        return ids
    if not everything:
        raise typer.BadParameter("give the ids of dead letters, or --all (with filters: --queue, --tenant, ...)")
    letters = fleet.broker.dead_letters.list(**filters, limit=limit + 1)
    if len(letters) > limit:
        note(f"jobfleet: more than {limit:,} match; only the newest are meant, --limit names how many")
    return [letter.job_id for letter in letters[:limit]]


def plans_of(fleet: FleetContext, letters: Iterable[DeadLetter]) -> dict[str, str]:
    """The plans of the tenants whose dead letters they are."""
    with reachable(fleet.broker.client):
        return fleet.broker.limits.plans_of({letter.tenant_id for letter in letters})


def in_batches(doing: str, job_ids: Sequence[str], act: Callable[[Iterable[str]], list[str]]) -> int:
    """Act on a batch at a time, with a progress bar where a person watches; returns how many were dead."""
    done = 0
    batches = [job_ids[start : start + BATCH] for start in range(0, len(job_ids), BATCH)]
    for batch in track(batches, doing, transient=True, disable=not sys.stdout.isatty()):
        done += len(act(batch))
    return done
