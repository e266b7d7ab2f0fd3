"""Actors: which are known, pause and resume; and all that is paused."""

from __future__ import annotations

from typing import Any

from ...broker.connection import reachable
from ...broker.scripts import unpack
from .call import Call
from .route import change, look


def _list(call: Call) -> list[dict[str, Any]]:
    broker = call.fleet.broker
    with reachable(broker.client):
        known = broker.commands.hgetall(broker.keys.actors)
    actors = {name.decode(): unpack(packed)["queue"] for name, packed in known.items()}
    paused = set(broker.paused())
    return [
        {"actor": actor, "queue": queue, "paused": f"actor:{actor}" in paused}
        for actor, queue in sorted(actors.items())
    ]


def _paused(call: Call) -> list[dict[str, str]]:
    parts = (name.partition(":") for name in call.fleet.broker.paused())
    return [{"kind": kind, "name": name} for kind, _, name in parts]


def _pause(call: Call) -> dict[str, Any]:
    """Also one that nobody knows yet: it may come with the next version."""
    call.fleet.broker.pause_actor(call.path["actor"])
    return {"actor": call.path["actor"], "paused": True}


def _resume(call: Call) -> dict[str, Any]:
    was_paused = call.fleet.broker.resume_actor(call.path["actor"])
    return {"actor": call.path["actor"], "paused": False, "was_paused": was_paused}


ROUTES = (
    look(
        "/admin/actors",
        _list,
        "The actors that workers of the fleet have known.",
    ),
    look(
        "/admin/paused",
        _paused,
        "The queues and actors that are paused.",
    ),
    change(
        "/admin/actors/{actor}/pause",
        _pause,
        "Start no more jobs of an actor, in whatever queue; what runs goes on.",
    ),
    change(
        "/admin/actors/{actor}/resume",
        _resume,
        "Let a paused actor go on; its jobs go back to their places.",
    ),
)
