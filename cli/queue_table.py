"""The counts of queues, drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..broker.stats import QueueStats
from .tables import Column, duration

#: What the dashboard shows too, and under the same names.
QUEUE_COLUMNS: Sequence[Column] = (
    Column("queue"),
    Column("waiting", number=True),
    Column("active", number=True),
    Column("completed", number=True),
    Column("failed", number=True),
    Column("delayed", number=True),
    Column("total", number=True),
    Column("oldest wait", number=True),
    Column("paused"),
)


def queue_rows(stats: Iterable[QueueStats]) -> list[list[object]]:
    """One row per queue, for ``QUEUE_COLUMNS``."""
    return [
        [
            row.queue,
            row.waiting,
            row.active,
            row.completed,
            row.failed,
            row.delayed,
            row.total,
            duration(row.oldest_wait_seconds * 1000) if row.waiting else "-",
            "paused" if row.paused else "",
        ]
        for row in stats
    ]
