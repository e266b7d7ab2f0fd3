"""What a fleet looks like at one moment, for the exporter and for whoever scales its workers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .queue_gauges import QueueGauges
from .queue_load import QueueLoad
from .queues import Queue
from .scripts import Scripts, unpack

#: Milliseconds within which a scheduled job is worth a worker that starts now.
DUE_SOON_MS = 30_000


@dataclass(frozen=True)
class Gauges:
    """All queues at one moment."""

    #: Events that the recorder has not stored yet.
    journal_entries: int
    #: Seconds since the oldest of them was written, 0 when there is none.
    journal_seconds: float
    queues: tuple[QueueGauges, ...]


def read_gauges(scripts: Scripts, queues: Iterable[Queue]) -> Gauges:
    """Look at the queues that are given, and at every other that was ever used.

    Raises:
      redis.RedisError: the server is away.
    """
    bounds = [part for queue in queues for part in (queue.name, queue.concurrency or 0)]
    now, entries, oldest, *rows = unpack(scripts.call("gauges", *bounds))
    found = [QueueGauges.read(row, now) for row in rows]
    return Gauges(int(entries), max(0.0, now - oldest) / 1000 if oldest else 0.0, tuple(found))


def read_load(scripts: Scripts, queue: str) -> QueueLoad:
    """What runs and what could run in a queue.

    Raises:
      redis.RedisError: the server is away.
    """
    running, ready, due_soon = scripts.call("scale", queue, DUE_SOON_MS)
    return QueueLoad(queue=queue, running=running, ready=ready, due_soon=due_soon)
