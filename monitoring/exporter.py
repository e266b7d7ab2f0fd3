"""What Prometheus scrapes: counters as Redis holds them, gauges as they are at the scrape."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence

import redis
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family

from .. import __version__
from ..broker.fair_broker import FairBroker
from ..broker.gauges import read_gauges
from ..broker.settings import settings
from ..middleware.database import Database
from .audit_watch import AuditWatch
from .counted import Counted
from .database_watch import DatabaseWatch
from .exposition import CONTENT_TYPE, written
from .label_space import LabelSpace
from .metrics import PREFIX, UNACCOUNTED
from .seen import Seen

LOGGER = logging.getLogger(__name__)


class Exporter:
    """Reads a namespace for each scrape: O(queues x actors), whatever waits.

    With Redis away there are no numbers of the fleet, only that it is away: old ones would hide it.

    Parameters:
      broker: whose metrics they are.
      database: where the job log is.
    """

    def __init__(self, broker: FairBroker, database: Database) -> None:
        self._broker = broker
        self._waiting_longest: Mapping[str, Sequence[str]] = {}
        self.audits = AuditWatch(broker)
        self.stored = DatabaseWatch(broker, database)

    def page(self) -> tuple[bytes, str]:
        """The metrics as text, and its content type.

        Always the plain format, also for a scraper that prefers OpenMetrics: it says the same.
        """
        return written(self._families()), CONTENT_TYPE

    def _families(self) -> Iterator[Family]:
        try:
            families = self._of_the_fleet()
        except redis.RedisError as error:
            LOGGER.warning("Redis is away, the metrics of the fleet are left out: %s", error)
            families = []
        yield from families
        yield _labelled(
            "source_up",
            "1 while what the metrics are read from answers.",
            "source",
            {"redis": float(bool(families)), "postgres": float(self.stored.up)},
        )
        yield _labelled(
            "jobs_unaccounted",
            "What the last audit found, by kind; see jobfleet audit.",
            "kind",
            {**dict.fromkeys(UNACCOUNTED, 0.0), **self.audits.unaccounted},
        )
        yield GaugeMetricFamily(
            PREFIX + "audit_last_success_timestamp_seconds",
            "When the last audit was finished, or the monitor began, seconds since the epoch.",
            value=self.audits.finished,
        )
        yield _labelled("build_info", "1, with the version.", "version", {__version__: 1.0})

    def _of_the_fleet(self) -> list[Family]:
        client, keys = self._broker.commands, self._broker.keys
        space = LabelSpace.read(client, keys)
        counted = Counted(client.hgetall(keys.metrics), space)
        gauges = read_gauges(self._broker.scripts, map(settings().queue, space.queues), self._waiting_longest)
        self._waiting_longest = gauges.waiting_longest
        seen = Seen(gauges, self.stored.oldest_deaths())
        return [*counted.families(), *seen.families(), *self._bounds()]

    def _bounds(self) -> Iterator[Family]:
        """How near the fleet is to the two bounds at which all sends are refused, and what Redis threw away."""
        yield GaugeMetricFamily(
            PREFIX + "journal_max_entries",
            "Events in the journal from which on sends are refused.",
            value=settings().journal_max,
        )
        percent = self._broker.memory.percent()
        if percent is not None:
            yield GaugeMetricFamily(
                PREFIX + "redis_memory_used_ratio",
                "Share of maxmemory in use, 0 where there is no limit; sends are refused from 0.8 on.",
                value=percent / 100,
            )
        evicted = self._broker.memory.evicted()
        if evicted is not None:
            yield CounterMetricFamily(
                PREFIX + "redis_evicted_keys",
                "Keys that Redis threw away to make room, jobs among them; its policy is not noeviction.",
                value=evicted,
            )


def _labelled(name: str, text: str, label: str, values: Mapping[str, float]) -> Family:
    family = GaugeMetricFamily(PREFIX + name, text, labels=(label,))
    for value, number in values.items():
        family.add_metric((value,), number)
    return family
