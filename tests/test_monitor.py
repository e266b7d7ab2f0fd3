"""The monitor with a real fleet: what the broker does is what the log says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dramatiq
import pytest
from dramatiq import Worker
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.broker.settings import settings
from jobfleet.middleware.archive import PostgresArchive
from jobfleet.middleware.database import Database
from jobfleet.middleware.job_history import JobHistory
from jobfleet.middleware.job_log import JobLog
from jobfleet.monitoring import get_queue_stats
from jobfleet.monitoring.monitor import Monitor


@contextmanager
def monitoring(broker: FairBroker, database: Database) -> Iterator[Monitor]:
    monitor, stop = Monitor(broker, database), threading.Event()
    thread = threading.Thread(target=monitor.run, args=(stop,))
    thread.start()
    try:
        yield monitor
    finally:
        stop.set()
        thread.join(timeout=30)
        assert not thread.is_alive()


@contextmanager
def working(broker: FairBroker) -> Iterator[None]:
    worker = Worker(broker, worker_threads=2)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


@pytest.fixture
def pool(database_url: str) -> Iterator[Database]:
    pool = Database(database_url)
    yield pool
    pool.close()


def test_a_day_in_the_life_of_three_jobs(broker: FairBroker, pool: Database) -> None:
    # Given a fleet with actors that succeed, fail once, and always fail
    broker.add_middleware(JobLog())
    seen: list[str] = []

    @dramatiq.actor(broker=broker, queue_name="email", redact=["secret"])
    def good(*, tenant_id: int, secret: str) -> None: ...

    @dramatiq.actor(broker=broker, queue_name="email", min_backoff=1, max_retries=2)
    def once(*, tenant_id: int) -> None:
        seen.append("once")
        if len(seen) == 1:
            raise ValueError("the first time")

    @dramatiq.actor(broker=broker, queue_name="report", max_retries=0)
    def never(*, tenant_id: int) -> None:
        raise RuntimeError("as always")

    with monitoring(broker, pool) as monitor, working(broker):
        # When they run, and the monitor watches
        sent = [
            good.send(tenant_id=1, secret="sesame"),
            once.send(tenant_id=2),
            never.send(tenant_id=3),
        ]
        history = JobHistory(pool)
        wanted = ["completed", "completed", "failed"]
        eventually(lambda: [getattr(history.job(m.message_id), "status", "") for m in sent] == wanted, timeout=30)
        eventually(lambda: monitor.recorder.lag() == (0, 0.0))

    # Then the log tells each story
    first, second, third = (history.job(message.message_id) for message in sent)
    assert first
    assert second
    assert third
    assert first.payload == {"tenant_id": 1, "secret": "[redacted]"}
    assert [(run.attempt, run.outcome) for run in second.runs] == [(1, "retry"), (2, "completed")]
    assert second.runs[0].error == "ValueError: the first time"
    assert (third.attempts, third.error) == (1, "RuntimeError: as always")
    letter = PostgresArchive(pool).dead_letter(third.job_id)
    kept = broker.dead_letters.show(third.job_id)
    assert letter
    assert kept
    assert (letter.message, letter.error, letter.reason) == (kept.message, kept.error, kept.reason)
    assert broker.audit().clean


def test_upkeep_promotes_due_jobs_without_any_worker(broker: FairBroker, pool: Database) -> None:
    @dramatiq.actor(broker=broker, queue_name="ai")
    def think() -> None: ...

    think.send_with_options(delay=50)
    with monitoring(broker, pool):
        eventually(lambda: broker.stats(["ai"])[0].waiting == 1)


def test_queue_stats_are_as_they_are_pinned(
    broker: FairBroker, redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given jobs in a queue of the table and in one that is not in it
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("JOBFLEET_NAMESPACE", namespace)
    settings.cache_clear()

    @dramatiq.actor(broker=broker, queue_name="email")
    def mail() -> None: ...

    @dramatiq.actor(broker=broker, queue_name="zoo")
    def feed() -> None: ...

    mail.send()
    mail.send_with_options(delay=60_000)
    feed.send()

    # When the counts are asked for
    stats = get_queue_stats()

    # Then every queue has its row
    assert [row["queue"] for row in stats] == [*settings().queues, "zoo"]
    assert stats[0] == {
        "queue": "email",
        "waiting": 1,
        "active": 0,
        "completed": 0,
        "failed": 0,
        "delayed": 1,
        "total": 2,
    }
    assert stats[-1]["waiting"] == 1
