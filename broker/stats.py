"""Counts of queues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .commands import Commands
from .keys import Keys
from .scripts import Scripts


@dataclass(frozen=True, kw_only=True)
class QueueStats:
    """One queue at one moment."""

    queue: str
    #: Jobs that could run now.
    waiting: int
    #: Jobs that a worker holds.
    active: int
    #: Jobs that completed, ever.
    completed: int
    #: Dead letters now, also those that only PostgreSQL holds.
    failed: int
    #: Jobs that wait for their time.
    delayed: int
    #: Seconds for which the oldest waiting job could have run, 0 when none waits.
    oldest_wait_seconds: float
    paused: bool
    #: Waiting jobs of tenants that have no free slot.
    parked: int

    @property
    def total(self) -> int:
        """Jobs that are not over."""
        return self.waiting + self.active + self.delayed


def read_stats(client: Commands, keys: Keys, scripts: Scripts, queues: Sequence[str]) -> list[QueueStats]:
    """Counts of the given queues, or of all known ones in alphabetical order."""
    now, *rows = scripts.call("stats", *queues)
    completed = _completed(client, keys)
    found = [
        QueueStats(
            queue=queue.decode(),
            waiting=waiting,
            active=active,
            delayed=scheduled,
            failed=dead,
            completed=completed.get(queue.decode(), 0),
            oldest_wait_seconds=max(0.0, (now - float(oldest)) / 1000) if oldest else 0.0,
            paused=bool(paused),
            parked=parked,
        )
        for queue, waiting, active, scheduled, dead, oldest, paused, parked in rows
    ]
    return found if queues else sorted(found, key=lambda stats: stats.queue)


def _completed(client: Commands, keys: Keys) -> dict[str, int]:
    sums: dict[str, int] = {}
    for field, value in client.hgetall(keys.metrics).items():
        name, *labels = field.decode().split("\t")
        if name == "jobs_processed" and labels[-1] == "completed":
            sums[labels[0]] = sums.get(labels[0], 0) + int(value)
    return sums
