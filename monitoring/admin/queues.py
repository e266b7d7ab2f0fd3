"""Queues: counts, what to scale by, pause and resume."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ...broker.connection import reachable
from ...broker.gauges import read_load
from ...broker.settings import settings
from ..queue_stats import queue_stats
from .call import Call
from .refused import Refused
from .role import Role
from .route import change, look


def _stats(call: Call) -> list[dict[str, Any]]:
    return queue_stats(call.fleet.broker)


def _scale(call: Call) -> dict[str, Any]:
    queue = _known(call)
    with reachable(call.fleet.broker.client):
        load = read_load(call.fleet.broker.scripts, queue)
    return {**asdict(load), "value": load.value}


def _pause(call: Call) -> dict[str, Any]:
    queue = _known(call)
    call.fleet.broker.pause(queue)
    return {"queue": queue, "paused": True}


def _resume(call: Call) -> dict[str, Any]:
    queue = _known(call)
    call.fleet.broker.resume(queue)
    return {"queue": queue, "paused": False}


def _known(call: Call) -> str:
    """The queue that is meant.

    Raises:
      Refused: it is neither in the table nor was ever used.
    """
    queue = call.path["queue"]
    if queue not in settings().queues and queue not in {stats.queue for stats in call.fleet.broker.stats()}:
        raise Refused(404, f"there is no queue {queue!r}; /admin/queues/stats lists them")
    return queue


ROUTES = (
    look(
        "/scale/{queue}",
        _scale,
        "What to scale a queue's workers by: value is what runs and what could run within its tenants' limits.",
        refusals=(404,),
    ),
    look(
        "/admin/queues/stats",
        _stats,
        "Counts of all queues.",
        role=Role.ADMIN,
    ),
    change(
        "/admin/queues/{queue}/pause",
        _pause,
        "Start no more jobs of a queue until it is resumed; what runs goes on.",
        refusals=(404,),
    ),
    change(
        "/admin/queues/{queue}/resume",
        _resume,
        "Let a paused queue go on.",
        refusals=(404,),
    ),
)
