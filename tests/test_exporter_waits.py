"""The oldest wait and the free threads that the exporter shows: what alerts on queues that stand still go by."""

from __future__ import annotations

import threading
from dataclasses import replace

import dramatiq
import pytest
from dramatiq import Message, Worker
from model_fleet import Clock
from scraped import Scraped, scrape
from scripted_worker import ScriptedWorker
from wait import eventually
from wide_limits import wide

from jobfleet.broker import FairBroker
from jobfleet.middleware.database import Database
from jobfleet.monitoring.exporter import Exporter
from jobfleet.monitoring.metrics import BUCKETS_MS

MINUTE = 60_000


@pytest.fixture
def clock(broker: FairBroker) -> Clock:
    return Clock(broker.client, broker.keys.prefix, MINUTE)


@pytest.fixture
def exporter(broker: FairBroker) -> Exporter:
    return Exporter(broker, Database("postgresql://nobody@127.0.0.1:1/none"))


def send(broker: FairBroker, *tenants: str) -> None:
    sent = broker.enqueue_many([Message("default", "act", (), {"tenant_id": tenant}, {}) for tenant in tenants])
    assert all(isinstance(outcome, Message) for outcome in sent)


def oldest_wait(seen: Scraped) -> float:
    return seen.value("jobfleet_queue_oldest_wait_seconds", queue="default")


@pytest.mark.parametrize("paused", [30, 230, 1_200])
def test_tenants_that_may_run_nothing_do_not_hide_one_that_may(
    broker: FairBroker, clock: Clock, exporter: Exporter, paused: int
) -> None:
    # Given jobs of many paused tenants, whom no worker has ever put aside, and behind them one of a tenant that may run
    first = [f"tenant-{number}" for number in range(paused)]
    broker.limits.publish({"free": wide()}, dict.fromkeys(first, replace(wide(), paused=True)), version=1)
    send(broker, *first)
    send(broker, "other")

    # When nobody serves the queue for a minute
    clock.advance(MINUTE)

    # Then somebody waits
    assert oldest_wait(scrape(exporter)) == pytest.approx(60, abs=1)


def test_a_suspect_waits_like_any_other(broker: FairBroker, clock: Clock, exporter: Exporter) -> None:
    # Given a job that has lost two workers
    broker.limits.publish({"free": wide()}, {}, version=1)
    send(broker, "any")
    for _ in range(2):
        worker = ScriptedWorker(broker)
        assert len(worker.fetch()) == 1
        broker.scripts.call("bury_worker", worker.worker)
    assert broker.client.zcard(broker.keys.suspects("default")) == 1

    # When no worker is left for a minute
    clock.advance(MINUTE)

    # Then it waits
    assert oldest_wait(scrape(exporter)) == pytest.approx(60, abs=1)


def test_nobody_waits_where_nobody_may_run(broker: FairBroker, clock: Clock, exporter: Exporter) -> None:
    first = [f"tenant-{number}" for number in range(30)]
    broker.limits.publish({"free": wide()}, dict.fromkeys(first, replace(wide(), paused=True)), version=1)
    send(broker, *first)
    clock.advance(MINUTE)

    assert oldest_wait(scrape(exporter)) == 0


def test_a_job_that_waits_long_is_not_forgotten_when_it_is_not_its_tenants_turn(
    broker: FairBroker, clock: Clock, exporter: Exporter
) -> None:
    # Given a tenant with two old jobs, and many with newer ones
    broker.limits.publish({"free": wide()}, {}, version=1)
    send(broker, "old", "old")
    clock.advance(MINUTE)
    send(broker, *(f"tenant-{number}" for number in range(40)))
    clock.advance(MINUTE)
    assert oldest_wait(scrape(exporter)) == 120

    # When one of the two has started, so that all others have their turn before it
    ((_, _, tenant, *_),) = ScriptedWorker(broker).fetch()
    assert tenant == "old"

    # Then the other one waits as it has
    assert [oldest_wait(scrape(exporter)) for _ in range(2)] == [120, 120]


def test_waits_late_starts_and_late_outcomes_are_counted_as_they_were(
    broker: FairBroker, clock: Clock, exporter: Exporter
) -> None:
    # Given jobs that waited so many milliseconds, of which what is longer than the objective is late
    waits, worker = (0, 3, 5, 6, 700, 30_000, 30_001, 1_200_000), ScriptedWorker(broker, lease_ms=10_000_000)
    for wait in waits:
        send(broker, "any")
        clock.advance(wait)
        ((job_id, *_),) = worker.fetch(objective=30_000)
        worker.complete(job_id)

    # And outcomes that come again
    for _ in range(2):
        worker.complete(job_id)

    # Then all of it is exported
    seen = scrape(exporter)
    for bound in BUCKETS_MS:
        shown = seen.value("jobfleet_job_wait_seconds_bucket", queue="default", le=repr(bound / 1000))
        assert shown == sum(wait <= bound for wait in waits), bound
    assert seen.value("jobfleet_job_wait_seconds_bucket", queue="default", le="+Inf") == len(waits)
    assert seen.series("jobfleet_job_wait_seconds_sum", "queue") == {("default",): sum(waits) / 1000}
    assert seen.series("jobfleet_wait_slo_starts_total", "queue") == {("default",): len(waits)}
    assert seen.series("jobfleet_wait_slo_violations_total", "queue") == {("default",): 2}
    assert seen.value("jobfleet_stale_settles_total") == 2


def test_a_thread_that_runs_another_queues_job_is_not_free(broker: FairBroker, exporter: Exporter) -> None:
    # Given a worker with four threads for two queues, of which one may have two at once
    done = threading.Event()

    @dramatiq.actor(broker=broker, queue_name="zoo")
    def hold() -> None:
        done.wait(30)

    @dramatiq.actor(broker=broker, queue_name="ai")
    def think() -> None: ...

    def free() -> dict[tuple[str, ...], float]:
        return scrape(exporter).series("jobfleet_worker_threads_free", "queue")

    worker = Worker(broker, worker_threads=4, worker_timeout=100)
    worker.start()
    try:
        eventually(lambda: free() == {("zoo",): 4, ("ai",): 2})

        # When three of them run jobs of the other, then one is left for either
        for _ in range(3):
            hold.send()
        eventually(lambda: free() == {("zoo",): 1, ("ai",): 1})

        # And when all do, none is
        hold.send()
        eventually(lambda: free() == {})
        seen = scrape(exporter)
    finally:
        done.set()
        worker.stop()

    # Then the one process counts once in the fleet, and once in each queue that it serves
    assert seen.series("jobfleet_worker_threads_busy", "queue") == {("zoo",): 4}
    assert seen.series("jobfleet_worker_threads", "queue") == {("zoo",): 4, ("ai",): 2}
    assert seen.series("jobfleet_workers", "queue") == {("zoo",): 1, ("ai",): 1}
    assert [seen.value(f"jobfleet_fleet_{name}") for name in ("workers", "threads", "threads_busy")] == [1, 4, 4]
