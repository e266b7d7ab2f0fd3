"""Commands that stop queues and actors, and let them go on."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated

import typer

from .fleet_context import FleetContext, fleet_context
from .tables import note, say

QueueName = Annotated[str | None, typer.Argument(metavar="QUEUE", help="The queue's name.", show_default=False)]
ActorName = Annotated[str | None, typer.Option("--actor", help="An actor instead, in whatever queue.")]


def pause(queue: QueueName = None, actor: ActorName = None) -> None:
    """Start no more jobs of a queue, or of an actor, until it is resumed: they wait, and what runs goes on.

    Without a name: list what is paused. Tenants are paused with `jobfleet tenants pause`.

    \b
    Examples:
      jobfleet pause webhook
      jobfleet pause --actor send_email
      jobfleet pause
    """
    _only_one(queue, actor)
    with fleet_context() as fleet:
        if queue:
            fleet.check_queue(queue)
            fleet.broker.pause(queue)
            say(f"the queue {queue} is paused")
        elif actor:
            _check_actor(fleet, actor)
            fleet.broker.pause_actor(actor)
            say(f"the actor {actor} is paused")
        else:
            paused = fleet.broker.paused()
            for name in paused:
                say(name.replace(":", " ", 1))
            if not paused:
                say("nothing is paused")


def resume(queue: QueueName = None, actor: ActorName = None) -> None:
    """Let a paused queue or actor go on; its jobs are at their old places.

    \b
    Examples:
      jobfleet resume webhook
      jobfleet resume --actor send_email
    """
    _only_one(queue, actor)
    if not (queue or actor):
        raise typer.BadParameter("give the name of a queue, or --actor; `jobfleet pause` lists what is paused")
    with fleet_context() as fleet:
        if queue:
            fleet.check_queue(queue)
            was_paused = f"queue:{queue}" in fleet.broker.paused()
            fleet.broker.resume(queue)
        else:
            was_paused = fleet.broker.resume_actor(str(actor))
    name = f"the queue {queue}" if queue else f"the actor {actor}"
    say(f"{name} goes on" if was_paused else f"{name} was not paused")


def _only_one(queue: str | None, actor: str | None) -> None:
    if queue and actor:
        raise typer.BadParameter("give a queue or --actor, not both")


def _check_actor(fleet: FleetContext, actor: str) -> None:
    """Say so when no worker has ever known the actor: it may come with the next version, or be a slip."""
    known = [name.decode() for name in fleet.broker.commands.hgetall(fleet.broker.keys.actors)]
    if actor not in known:
        close = get_close_matches(actor, known, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        note(f"jobfleet: no worker has ever served an actor {actor}; it is paused all the same.{hint}")
