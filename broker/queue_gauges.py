"""One queue and its workers at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class QueueGauges:
    """A queue as ``lua/gauges.lua`` reads it. Durations are seconds, 0 where there is nothing to measure."""

    queue: str
    #: Jobs that could run as far as their tenants' limits go.
    waiting: int
    active: int
    #: Jobs that wait for their time or for their tenant's rate.
    scheduled: int
    #: Dead letters, wherever they are kept.
    dead: int
    #: Those of them that Redis still holds.
    dead_here: int
    #: Waiting jobs of tenants without a free slot.
    parked: int
    paused: bool
    #: How long the oldest waiting job waits for a worker, the time not counted in which its tenant had no free slot; of
    #: the tenants that are looked at, see ``lua/oldest_wait.lua``.
    oldest_wait: float
    #: How long the run of the oldest active job takes.
    oldest_run: float
    #: How long the oldest dead letter that Redis holds is dead.
    oldest_dead: float
    #: Worker processes that are alive and serve the queue, their threads that may run its jobs, and those that do.
    workers: int
    threads: int
    busy: int
    #: Threads that could start one more: not busy with jobs of other queues either.
    free: int
    #: The tenants whose jobs wait longest.
    waiting_longest: tuple[str, ...]

    @classmethod
    def read(cls, row: Sequence[Any], now: float) -> Self:
        """A row of the script's answer, read at `now` (ms)."""
        queue, waiting, active, scheduled, dead, dead_here, parked, paused, *rest = row
        *moments, workers, threads, busy, free, waiting_longest = rest
        wait, run, death = (max(0.0, now - moment) / 1000 if moment else 0.0 for moment in moments)
        return cls(
            queue=queue,
            waiting=int(waiting),
            active=int(active),
            scheduled=int(scheduled),
            dead=int(dead),
            dead_here=int(dead_here),
            parked=int(parked),
            paused=bool(paused),
            oldest_wait=wait,
            oldest_run=run,
            oldest_dead=death,
            workers=int(workers),
            threads=int(threads),
            busy=int(busy),
            free=int(free),
            waiting_longest=tuple(waiting_longest),
        )
