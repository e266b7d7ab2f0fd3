"""Actors: which are known, pause and resume; and all that is paused."""

from __future__ import annotations

from typing import Any

from ...broker.connection import reachable
from ...broker.scripts import unpack
from .call import Call
from .role import Role
from .route import Route


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
    Route(
        method="GET",
        path="/admin/actors",
        role=Role.VIEWER,
        summary="The actors that workers of the fleet have known.",
        answer=_list,
    ),
    Route(
        method="GET",
        path="/admin/paused",
        role=Role.VIEWER,
        summary="The queues and actors that are paused.",
        answer=_paused,
    ),
    Route(
        method="POST",
        path="/admin/actors/{actor}/pause",
        role=Role.ADMIN,
        summary="Start no more jobs of an actor, in whatever queue; what runs goes on.",
        answer=_pause,
    ),
    Route(
        method="POST",
        path="/admin/actors/{actor}/resume",
        role=Role.ADMIN,
        summary="Let a paused actor go on; its jobs go back to their places.",
        answer=_resume,
    ),
)
