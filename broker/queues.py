"""The queue table: the one place that says what a queue is.

Workers, retries, time limits, manifests, dashboards and rules all read this table.
``jobfleet.toml`` may change its rows and add queues (see ``settings``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Tier(StrEnum):
    """How urgent a queue is; a worker of several queues serves high before medium before low."""

    #: A person waits for it.
    HIGH = "high"
    #: A person will look at it within minutes.
    MEDIUM = "medium"
    #: Nobody waits.
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the tier that is served first."""
        return list(Tier).index(self)


#: Seconds within which a waiting job should start, by tier; what the wait objective is measured against.
WAIT_OBJECTIVE_SECONDS = MappingProxyType({Tier.HIGH: 30, Tier.MEDIUM: 120, Tier.LOW: 600})


@dataclass(frozen=True, kw_only=True)
class Queue:
    """One row of the table. Durations are milliseconds."""

    name: str
    tier: Tier = Tier.MEDIUM
    #: Jobs of this queue that one worker process runs at once; None means all its threads.
    concurrency: int | None = None
    #: Milliseconds an attempt may run before it is interrupted.
    time_limit_ms: int = 600_000
    #: Runs a job gets before it is dead-lettered, the first included.
    attempts: int = 3
    #: Milliseconds before the second attempt; doubles for each one after it.
    first_backoff_ms: int = 2_000
    #: Jobs that may start per second over the whole fleet, or None for no rate.
    rate_per_second: int | None = None

    @property
    def wait_objective_ms(self) -> int:
        """Milliseconds within which a waiting job should start."""
        return WAIT_OBJECTIVE_SECONDS[self.tier] * 1000


def _table(*queues: Queue) -> MappingProxyType[str, Queue]:
    return MappingProxyType({queue.name: queue for queue in queues})


#: The nine queues of the fleet, in the order in which a worker of all of them serves them.
QUEUES = _table(
    Queue(name="email", tier=Tier.HIGH, concurrency=10, time_limit_ms=60_000),
    Queue(name="notification", tier=Tier.HIGH, concurrency=10, time_limit_ms=60_000),
    Queue(
        name="webhook",
        tier=Tier.HIGH,
        concurrency=10,
        time_limit_ms=45_000,
        attempts=5,
        first_backoff_ms=5_000,
        rate_per_second=100,
    ),
    Queue(name="report", tier=Tier.MEDIUM, concurrency=5, time_limit_ms=300_000),
    Queue(name="export", tier=Tier.MEDIUM, concurrency=5, time_limit_ms=600_000),
    Queue(name="image-processing", tier=Tier.MEDIUM, concurrency=5, time_limit_ms=120_000),
    Queue(name="ai", tier=Tier.LOW, concurrency=2, time_limit_ms=600_000),
    Queue(name="analytics", tier=Tier.LOW, concurrency=2, time_limit_ms=600_000),
    Queue(name="cleanup", tier=Tier.LOW, concurrency=2, time_limit_ms=600_000),
)
