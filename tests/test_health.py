"""What a process cannot vouch for: cancelled, stuck, dead threads, unknown actors; dead processes: test_faults_*."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import dramatiq
import pytest
from dramatiq import Message, Worker
from dramatiq.middleware import TimeLimitExceeded
from dramatiq.results import ResultMissing, Results
from wait import eventually, present

from jobfleet.broker import FairBroker, health, outcome
from jobfleet.broker.errors import Cancelled
from jobfleet.broker.results import SettledResults


@pytest.fixture
def quick(redis_url: str, namespace: str) -> Iterator[FairBroker]:
    """A broker whose leases are short, so that heartbeats are frequent."""
    broker = FairBroker(redis_url, namespace=namespace, lease_ms=900)
    yield broker
    broker.close()


def test_a_running_job_is_cancelled_in_its_thread(quick: FairBroker) -> None:
    running, seen = threading.Event(), []

    @dramatiq.actor(broker=quick)
    def act() -> None:
        running.set()
        try:
            while True:
                time.sleep(0.005)
        except Cancelled:
            seen.append("cancelled")
            raise

    sent = act.send()
    worker = Worker(quick, worker_threads=2, worker_timeout=100)
    worker.start()
    try:
        assert running.wait(10)
        assert quick.cancel(sent.message_id) == "cancelling"
        eventually(lambda: quick.get(sent.message_id) is None)
        assert seen == ["cancelled"]
        kinds = [e.kind for entry in quick.journal.read(count=100) for e in entry.events if e.kind != "started"]
        assert kinds == ["enqueued", "cancelled"], "it is not retried"
    finally:
        worker.stop()
    assert quick.audit().clean


def test_a_run_that_no_interrupt_reaches_fails_as_stuck_and_its_process_takes_no_more(
    quick: FairBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "STUCK_AFTER", 0.2)
    gate, started = threading.Event(), threading.Event()

    @dramatiq.actor(broker=quick, time_limit=100)
    def stuck() -> None:
        started.set()
        gate.wait()  # without a timeout: the interrupt is not delivered here

    @dramatiq.actor(broker=quick)
    def other() -> None: ...

    sent = stuck.send()
    worker = Worker(quick, worker_threads=2, worker_timeout=100)
    worker.start()
    try:
        assert started.wait(10)
        letter = eventually(lambda: quick.dead_letters.show(sent.message_id))
        assert (letter.reason, letter.error_type) == ("stuck", "Stuck")
        other.send()
        assert quick.stats(["default"])[0].waiting == 1
    finally:
        gate.set()
        worker.stop()
    assert quick.audit().clean


@pytest.mark.parametrize("fails", [True, False])
def test_a_run_that_comes_back_after_it_failed_as_stuck_sends_nothing(
    quick: FairBroker, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    # Given a run that failed as stuck, and whose dead letter was given up so long ago that its id is forgotten
    monkeypatch.setattr(health, "STUCK_AFTER", 0.2)
    gate, ended = threading.Event(), threading.Event()
    results = SettledResults(quick)
    quick.add_middleware(Results(backend=results, store_results=True))

    class Last(dramatiq.Middleware):
        def after_ack(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
            ended.set()

        after_nack = after_ack

    quick.middleware.insert(0, Last())

    @dramatiq.actor(broker=quick, time_limit=100, max_retries=5)
    def stuck() -> None:
        with suppress(TimeLimitExceeded):
            gate.wait()
        if fails:
            raise RuntimeError("late")

    @dramatiq.actor(broker=quick)
    def told(*args: object) -> None: ...

    sent = stuck.message_with_options(on_success=told, on_failure=told, pipe_target=told.message().asdict())
    quick.enqueue(sent)
    worker = Worker(quick, worker_threads=2, worker_timeout=100)
    worker.start()
    try:
        eventually(lambda: quick.dead_letters.show(sent.message_id))
        quick.dead_letters.discard([sent.message_id])
        for key in quick.client.scan_iter(match=f"{quick.keys.prefix}:ended:*"):
            quick.client.delete(key)

        # When it comes back
        gate.set()
        assert ended.wait(10)

        # Then neither its next run nor what its hooks send is a job, and it leaves no result
        assert quick.stats(["default"])[0].total == 0
        assert [e.kind for entry in quick.journal.read() for e in entry.events].count("enqueued") == 1
        with pytest.raises(ResultMissing):
            sent.get_result(backend=results)
    finally:
        worker.stop()
    assert quick.audit().clean


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_job_whose_thread_died_is_given_back(quick: FairBroker) -> None:
    runs: list[int] = []

    class Deadly(dramatiq.Middleware):
        def before_ack(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
            if len(runs) == 1:
                raise SystemExit

    quick.add_middleware(Deadly())

    @dramatiq.actor(broker=quick)
    def act() -> None:
        runs.append(1)

    act.send()
    worker = Worker(quick, worker_threads=1, worker_timeout=100)
    worker.start()
    try:

        def kinds() -> list[str]:
            entries = quick.journal.read(count=100)
            return [e.kind for entry in entries for e in entry.events if e.kind != "started"]

        eventually(lambda: kinds() == ["enqueued", "released"])
    finally:
        worker.stop()
    assert quick.audit().clean


def test_a_job_of_an_unknown_actor_is_put_back_and_in_the_end_dead(
    broker: FairBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome, "UNKNOWN_ACTOR_PAUSE_MS", 20)
    monkeypatch.setattr(outcome, "UNKNOWN_ACTOR_PATIENCE", 0.2)

    @dramatiq.actor(broker=broker)
    def known() -> None: ...

    sent: Message[Any] = Message(queue_name="default", actor_name="newer", args=(), kwargs={}, options={})
    broker.enqueue(sent)
    worker = Worker(broker, worker_threads=1, worker_timeout=100)
    worker.start()
    try:
        (letter,) = eventually(broker.dead_letters.list)
        assert present(broker.get(sent.message_id)).state == "failed"
        assert (letter.reason, letter.attempts) == ("unknown_actor", 1)
        assert "newer" in letter.error
        kinds = [e.kind for entry in broker.journal.read(count=1000) for e in entry.events]
        assert "postponed" in kinds
    finally:
        worker.stop()
    assert broker.audit().clean
