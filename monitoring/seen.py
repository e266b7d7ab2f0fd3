"""The gauges of the fleet, as the families that Prometheus reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family

from ..broker.gauges import Gauges
from ..broker.queue_gauges import QueueGauges
from ..broker.settings import settings
from .metrics import PREFIX, STATES

#: What the oldest wait is.
OLDEST_WAIT = (
    "How long the oldest waiting job could have run, of the 20 tenants whose turn comes next and the 5 that were seen to "
    "wait longest; all tenants where there are no plans."
)


class Seen:
    """What the fleet looked like at the scrape.

    Parameters:
      gauges: as Redis shows them.
      archived_deaths: queue -> how many seconds ago its oldest dead letter in PostgreSQL died.
    """

    def __init__(self, gauges: Gauges, archived_deaths: Mapping[str, float]) -> None:
        self._gauges = gauges
        self._archived_deaths = archived_deaths

    def families(self) -> Iterator[Family]:
        """All gauges."""
        jobs = GaugeMetricFamily(
            PREFIX + "queue_jobs",
            "Jobs by state; waiting could run as far as their tenants' limits go, parked could not.",
            labels=("queue", "state"),
        )
        for row in self._gauges.queues:
            for state in STATES:
                jobs.add_metric((row.queue, state), getattr(row, state))
        yield jobs
        yield self._by_queue("queue_oldest_wait_seconds", OLDEST_WAIT, _wait)
        yield self._by_queue("dead_oldest_age_seconds", "How long the oldest dead letter is dead.", self._dead_age)
        yield self._by_queue("queue_paused", "1 while an operator has paused the queue.", _paused)
        yield self._by_queue("queue_wait_objective_seconds", "Within what time a job should start.", _objective)
        yield self._by_queue("queue_time_limit_seconds", "How long an attempt may run.", _time_limit)
        yield self._by_queue("workers", "Worker processes that are alive and serve the queue.", _workers)
        yield self._by_queue("worker_threads", "Threads of workers that may run a job of the queue.", _threads)
        yield self._by_queue("worker_threads_busy", "Threads that run a job of the queue.", _busy)
        yield self._by_queue("worker_threads_free", "Threads that could start a job of the queue now.", _free)
        yield from self._of_all_workers()
        yield self._by_queue("job_oldest_running_seconds", "How long the oldest running job is held.", _run)
        behind = self._gauges
        yield _alone("journal_lag_entries", "Events that are not in the job log yet.", behind.journal_entries)
        yield _alone(
            "journal_lag_seconds", "Age of the oldest event that is not in the job log yet.", behind.journal_seconds
        )

    def _of_all_workers(self) -> Iterator[Family]:
        """A process counts once, however many queues it serves."""
        seen = self._gauges
        yield _alone("fleet_workers", "Worker processes that are alive.", seen.workers)
        yield _alone("fleet_threads", "Threads of workers that may run jobs.", seen.threads)
        yield _alone("fleet_threads_busy", "Threads of workers that run a job.", seen.busy)

    def _by_queue(self, name: str, text: str, value: Callable[[QueueGauges], float]) -> Family:
        family = GaugeMetricFamily(PREFIX + name, text, labels=("queue",))
        for row in self._gauges.queues:
            family.add_metric((row.queue,), value(row))
        return family

    def _dead_age(self, row: QueueGauges) -> float:
        """PostgreSQL learns of a replay a moment later, and is asked only of what Redis has let go."""
        archived = self._archived_deaths.get(row.queue, 0.0) if row.dead > row.dead_here else 0.0
        return max(row.oldest_dead, archived)


def _alone(name: str, text: str, value: float) -> Family:
    return GaugeMetricFamily(PREFIX + name, text, value=value)


def _wait(row: QueueGauges) -> float:
    return row.oldest_wait


def _paused(row: QueueGauges) -> float:
    return float(row.paused)


def _objective(row: QueueGauges) -> float:
    return settings().queue(row.queue).wait_objective_ms / 1000


def _time_limit(row: QueueGauges) -> float:
    return settings().queue(row.queue).time_limit_ms / 1000


def _workers(row: QueueGauges) -> float:
    return row.workers


def _threads(row: QueueGauges) -> float:
    return row.threads


def _busy(row: QueueGauges) -> float:
    return row.busy


def _free(row: QueueGauges) -> float:
    return row.free


def _run(row: QueueGauges) -> float:
    return row.oldest_run
