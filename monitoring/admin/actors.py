"""Actors: which are known, pause and resume; and all that is paused."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from ...broker.connection import reachable
from ...broker.scripts import unpack
from .call import Call
from .route import change, look


def _list(call: Call) -> list[dict[str, Any]]:
    paused = set(call.fleet.broker.paused())
    return [
        {"actor": actor, "queue": queue, "paused": f"actor:{actor}" in paused}
        for actor, queue in sorted(_known(call).items())
    ]


def _known(call: Call) -> dict[str, str]:
    """The actors that workers of the fleet have known, with their queues."""
    broker = call.fleet.broker
    with reachable(broker.client):
        known = broker.commands.hgetall(broker.keys.actors)
    return {name.decode(): unpack(packed)["queue"] for name, packed in known.items()}


def _paused(call: Call) -> list[dict[str, str]]:
    parts = (name.partition(":") for name in call.fleet.broker.paused())
    return [{"kind": kind, "name": name} for kind, _, name in parts]


def _pause(call: Call) -> dict[str, Any]:
    """Also one that nobody knows yet: it may come with the next version, or be a slip, which is said."""
    actor, known = call.path["actor"], _known(call)
    call.fleet.broker.pause_actor(actor)
    close = get_close_matches(actor, known, n=1) if actor not in known else []
    return {"actor": actor, "paused": True, "known": actor in known, "did_you_mean": close[0] if close else None}


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
        "Start no more jobs of an actor, in whatever queue; what runs goes on. known: whether a worker has ever served it.",
    ),
    change(
        "/admin/actors/{actor}/resume",
        _resume,
        "Let a paused actor go on; its jobs go back to their places.",
    ),
)
