"""How a run may end, with Dramatiq's own worker and middleware in this process."""

from __future__ import annotations

import time

import dramatiq
import pytest
from dramatiq import Message, Worker
from dramatiq.middleware import SkipMessage
from dramatiq.results import Results
from journal_events import kinds_of
from wait import eventually
from worker_threads import StartWorker

from jobfleet.broker import FairBroker, current_job
from jobfleet.broker.errors import PermanentFailure, Unavailable
from jobfleet.broker.results import SettledResults
from jobfleet.middleware.retries import Retries


def test_a_failing_job_is_retried_and_then_dead(broker: FairBroker, start_worker: StartWorker) -> None:
    attempts = []

    @dramatiq.actor(broker=broker, max_retries=2, min_backoff=10, max_backoff=20)
    def act() -> None:
        job = current_job()
        attempts.append(job.attempt if job else 0)
        raise RuntimeError("always")

    message = act.send()
    start_worker()
    letter = eventually(broker.dead_letters.list)[0]
    assert attempts == [1, 2, 3]
    assert (letter.job_id, letter.error, letter.attempts) == (message.message_id, "RuntimeError: always", 3)
    assert "raise RuntimeError" in letter.traceback
    assert kinds_of(broker, message) == ["enqueued", "retry", "retry", "failed"]

    act.fn = lambda: None
    broker.dead_letters.replay([message.message_id])
    broker.join("default", timeout=15_000)
    assert kinds_of(broker, message)[-2:] == ["replayed", "completed"]


def test_a_run_that_nobody_retries_is_dead_instead_of_gone(redis_url: str, namespace: str) -> None:
    broker = FairBroker(redis_url, namespace=namespace, middleware=[])

    @dramatiq.actor(broker=broker)
    def act() -> None:
        raise RuntimeError("no middleware looks after me")

    act.send()
    worker = Worker(broker, worker_threads=1, worker_timeout=100)
    worker.start()
    try:
        assert eventually(broker.dead_letters.list)[0].reason == "unhandled"
    finally:
        worker.stop()
        broker.close()


def test_the_fleets_retries_follow_the_queue_table_and_its_own_errors(
    redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobfleet.middleware.retries.POSTPONE_SECONDS", (0.02, 0.04))
    broker = FairBroker(redis_url, namespace=namespace, middleware=[Retries()])
    runs: list[str] = []

    @dramatiq.actor(broker=broker)
    def away() -> None:
        runs.append("away")
        if len(runs) < 4:
            raise Unavailable("the database is away")

    @dramatiq.actor(broker=broker)
    def hopeless() -> None:
        raise PermanentFailure("no such address")

    @dramatiq.actor(broker=broker, min_backoff=10)
    def broken() -> None:
        raise ValueError("broken")

    postponed, permanent, exhausted = away.send(), hopeless.send(), broken.send()
    worker = Worker(broker, worker_threads=2, worker_timeout=100)
    worker.start()
    try:
        broker.join("default", timeout=20_000)
        assert kinds_of(broker, postponed) == ["enqueued", "postponed", "postponed", "postponed", "completed"]
        assert kinds_of(broker, permanent) == ["enqueued", "failed"]
        assert kinds_of(broker, exhausted) == ["enqueued", "retry", "retry", "failed"]
        reasons = {letter.job_id: (letter.reason, letter.attempts) for letter in broker.dead_letters.list()}
        assert reasons == {permanent.message_id: ("permanent", 1), exhausted.message_id: ("exhausted", 3)}
        delays = [
            event.detail["due_ms"] - event.at_ms
            for entry in broker.journal.read(count=1000)
            for event in entry.events
            if event.kind == "retry"
        ]
        assert [10 <= delays[0] <= 11, 20 <= delays[1] <= 22] == [True, True]
    finally:
        worker.stop()
        broker.close()


def test_results_travel_with_the_settle(redis_url: str, namespace: str) -> None:
    broker = FairBroker(redis_url, namespace=namespace)
    backend = SettledResults(broker)
    broker.add_middleware(Results(backend=backend, store_results=True))

    @dramatiq.actor(broker=broker)
    def add(a: int, b: int) -> dict[str, int]:
        return {"sum": a + b}

    @dramatiq.actor(broker=broker, max_retries=0)
    def unspeakable() -> object:
        return object()

    good, bad = add.send(1, 2), unspeakable.send()
    worker = Worker(broker, worker_threads=2, worker_timeout=100)
    worker.start()
    try:
        assert good.get_result(backend=backend, block=True) == {"sum": 3}
        letter = eventually(broker.dead_letters.list)[0]
        assert (letter.job_id, letter.reason) == (bad.message_id, "bad_result")
        assert "not JSON" in letter.error
    finally:
        worker.stop()
        broker.close()


def test_a_skipped_message_is_over(broker: FairBroker, start_worker: StartWorker) -> None:
    class SkipAll(dramatiq.Middleware):
        def before_process_message(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
            raise SkipMessage("not today")

    broker.add_middleware(SkipAll())

    @dramatiq.actor(broker=broker)
    def act() -> None:
        raise AssertionError("must not run")

    message = act.send()
    start_worker()
    broker.join("default", timeout=15_000)
    assert kinds_of(broker, message) == ["enqueued", "skipped"]


def test_a_message_older_than_its_age_limit_is_dead(broker: FairBroker, start_worker: StartWorker) -> None:
    @dramatiq.actor(broker=broker, max_age=1)
    def act() -> None:
        raise AssertionError("must not run")

    message = act.send_with_options(delay=30)
    start_worker()
    letter = eventually(broker.dead_letters.list)[0]
    assert letter.job_id == message.message_id


def test_a_job_that_enqueues_itself_runs_again_as_one_step(broker: FairBroker, start_worker: StartWorker) -> None:
    runs = []

    @dramatiq.actor(broker=broker)
    def again(number: int) -> None:
        runs.append(number)
        job = current_job()
        if number < 3 and job:
            message = again.message(number + 1).copy()
            broker.enqueue(Message(**{**message.asdict(), "message_id": job.job_id}), delay=10)

    message = again.send(1)
    start_worker()
    broker.join("default", timeout=15_000)
    assert runs == [1, 2, 3]
    assert kinds_of(broker, message) == ["enqueued", "retry", "retry", "completed"]


def test_time_limits_interrupt_and_count_as_an_attempt(broker: FairBroker, start_worker: StartWorker) -> None:
    @dramatiq.actor(broker=broker, time_limit=50, max_retries=0)
    def slow() -> None:
        while True:
            time.sleep(0.005)

    slow.send()
    start_worker()
    broker.emit_after("process_boot")
    assert eventually(broker.dead_letters.list)[0].error_type == "TimeLimitExceeded"
