"""The counts of every queue, as the dashboard and ``GET /admin/queues/stats`` show them."""

from __future__ import annotations

from typing import Any

from ..broker.fair_broker import FairBroker
from ..broker.settings import settings


def get_queue_stats() -> list[dict[str, Any]]:
    """Counts of all queues: those of the table first, in its order, then every other that was ever sent to.

    Returns:
      one ``{queue, waiting, active, completed, failed, delayed, total}`` each; ``completed`` is cumulative, ``failed``
      counts dead letters now, ``total = waiting + active + delayed``.

    Raises:
      dramatiq.errors.ConnectionClosed: Redis is away.
      ConfigurationError: no server is named.
    """
    broker = FairBroker(middleware=[])
    try:
        return queue_stats(broker)
    finally:
        broker.close()


def queue_stats(broker: FairBroker) -> list[dict[str, Any]]:
    """As ``get_queue_stats``, of the fleet of a broker."""
    table = list(settings().queues)
    others = sorted({stats.queue for stats in broker.stats()} - set(table))
    return [
        {
            "queue": stats.queue,
            "waiting": stats.waiting,
            "active": stats.active,
            "completed": stats.completed,
            "failed": stats.failed,
            "delayed": stats.delayed,
            "total": stats.total,
        }
        for stats in broker.stats([*table, *others])
    ]
