"""What a fleet looks like at one moment, for the exporter and for whoever scales its workers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .queue_gauges import QueueGauges
from .queue_load import QueueLoad
from .queues import Queue
from .scripts import Scripts, pack, unpack

#: Milliseconds within which a scheduled job is worth a worker that starts now.
DUE_SOON_MS = 30_000


@dataclass(frozen=True, kw_only=True)
class Gauges:
    """All queues at one moment."""

    #: Events that the recorder has not stored yet.
    journal_entries: int
    #: Seconds since the oldest of them was written, 0 when there is none.
    journal_seconds: float
    #: Worker processes that are alive, their threads that may run jobs, and those that do.
    workers: int
    threads: int
    busy: int
    queues: tuple[QueueGauges, ...]

    @property
    def waiting_longest(self) -> dict[str, tuple[str, ...]]:
        """Queue -> tenants that wait longest in it, of those that were looked at."""
        return {row.queue: row.waiting_longest for row in self.queues}


def read_gauges(
    scripts: Scripts, queues: Iterable[Queue], waiting_longest: Mapping[str, Sequence[str]] | None = None
) -> Gauges:
    """Look at the queues that are given, and at every other that was ever used.

    Parameters:
      scripts: of whose namespace.
      queues: that are looked at in any case.
      waiting_longest: what the last look found, to be looked at again: only some tenants of a queue are looked at, so
        the oldest job would be seen at one moment and not at the next.

    Raises:
      redis.RedisError: the server is away.
    """
    known = waiting_longest or {}
    asked = [[queue.name, queue.concurrency or 0, known.get(queue.name, ())] for queue in queues]
    now, entries, oldest, workers, threads, busy, *rows = unpack(scripts.call("gauges", pack(asked)))
    return Gauges(
        journal_entries=int(entries),
        journal_seconds=max(0.0, now - oldest) / 1000 if oldest else 0.0,
        workers=int(workers),
        threads=int(threads),
        busy=int(busy),
        queues=tuple(QueueGauges.read(row, now) for row in rows),
    )


def read_load(scripts: Scripts, queue: str) -> QueueLoad:
    """What runs and what could run in a queue.

    Raises:
      redis.RedisError: the server is away.
    """
    running, ready, due_soon = scripts.call("scale", queue, DUE_SOON_MS)
    return QueueLoad(queue=queue, running=running, ready=ready, due_soon=due_soon)
