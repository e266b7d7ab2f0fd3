"""``jobfleet jobs follow``: events live, from the journal.

1. Begin behind the newest entry of the journal.
2. Block on the journal for up to a second; nothing is polled while nothing happens.
3. Print the events that match. The recorder trims what it has stored, so a reader that is held up for long (a full
   pipe) may miss events; the log has them all.
4. With --until-done, end with the job: when its last event came by, or when the log says that it is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from ..broker.connection import reachable
from ..broker.errors import JobfleetError
from ..broker.journal import BEGINNING, Event
from .filters import ActorFilter, AsJson, QueueFilter, TenantFilter
from .fleet_context import FleetContext, fleet_context
from .tables import duration, moment, print_json_line, say

#: Milliseconds that one read waits for news; shorter than a command may take.
BLOCK_MS = 1_000
#: Entries of one read.
READ_ENTRIES = 500
#: States and events after which nothing more happens to a job by itself.
OVER = frozenset({"completed", "skipped", "cancelled", "failed", "discarded"})
#: Of these, what --until-done calls a success.
WELL = frozenset({"completed", "skipped"})


@dataclass(frozen=True, kw_only=True)
class EventFilter:
    """Which events to print; None means all."""

    queue: str | None
    tenant: str | None
    actor: str | None
    job_id: str | None

    def matches(self, event: Event) -> bool:
        """Whether an event meets all that is given."""
        return (
            self.queue in (None, event.queue)
            and self.tenant in (None, event.tenant_id)
            and self.actor in (None, event.actor)
            and self.job_id in (None, event.job_id)
        )


def follow(
    queue: QueueFilter = None,
    tenant: TenantFilter = None,
    actor: ActorFilter = None,
    until_done: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Follow this job and end with it: exit code 0 if it completed, else 1."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what happens to jobs as it happens, until Ctrl-C.

    \b
    Examples:
      jobfleet jobs follow
      jobfleet jobs follow --queue webhook --json
      jobfleet jobs follow --until-done 0b9a3b52-7f6e-4a6c-8a43-27c5a3f9a7c1
    """
    with fleet_context() as fleet:
        fleet.check_queue(queue)
        wanted = EventFilter(queue=queue, tenant=tenant, actor=actor, job_id=until_done)
        try:
            end = _follow(fleet, wanted, as_json)
        except KeyboardInterrupt:
            return
    if end not in WELL:
        raise typer.Exit(1)


def _follow(fleet: FleetContext, wanted: EventFilter, as_json: bool) -> str:
    """Print until the wanted job is over; returns how it ended."""
    position = _newest(fleet)
    end = _end_of(fleet, wanted.job_id)
    while end is None:
        entries = fleet.broker.journal.read(position, READ_ENTRIES, BLOCK_MS)
        for event in (event for entry in entries for event in entry.events if wanted.matches(event)):
            _print(event, as_json)
            if wanted.job_id and event.kind in OVER:
                end = event.kind
        if entries:
            position = entries[-1].position
        elif end is None:
            end = _end_of(fleet, wanted.job_id)
    return end


def _newest(fleet: FleetContext) -> str:
    broker = fleet.broker
    with reachable(broker.client):
        newest: Any = broker.client.xrevrange(broker.keys.journal, count=1)
    return newest[0][0].decode() if newest else BEGINNING


def _end_of(fleet: FleetContext, job_id: str | None) -> str | None:
    """How the job ended, None while it has not.

    Raises:
      JobfleetError: there is no such job.
    """
    if job_id is None:
        return None
    state = fleet.broker.get(job_id)
    if state is None:
        raise JobfleetError(f"unknown job {job_id}: there is none of this id, or it is over and not in the log")
    if state.state not in OVER:
        return None
    say(f"job {job_id} is {state.state}")
    return state.state


def _print(event: Event, as_json: bool) -> None:
    if as_json:
        print_json_line(event)
        return
    attempt = f" attempt {event.attempt}" if event.attempt else ""
    say(
        f"{moment(event.at_ms, fine=True)}  {event.kind:<9}  {event.job_id}  {event.queue}  {event.tenant_id}  "
        f"{event.actor}{attempt}{_detail(event)}"
    )


def _detail(event: Event) -> str:
    detail = event.detail
    parts = []
    if detail.get("run_ms"):
        parts.append(f"ran {duration(detail['run_ms'])}")
    if detail.get("due_ms"):
        parts.append(f"due {moment(int(detail['due_ms']), fine=True)}")
    if event.kind == "progress":
        parts.append(f"{detail.get('fraction', 0):.0%} {detail.get('note', '')}".rstrip())
    if error := detail.get("error") or detail.get("reason"):
        parts.append(" ".join(str(error).split()))
    return f"  {', '.join(parts)}" if parts else ""
