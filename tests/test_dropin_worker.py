"""Workers pause, resume, stop and are joined, and queues are flushed, as an application expects."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import dramatiq
import pytest
from dramatiq.errors import QueueJoinTimeout
from dropin_brokers import BROKERS, StartWorker, application, died, drained
from wait import eventually


@pytest.fixture(params=BROKERS)
def app(request: pytest.FixtureRequest, redis_url: str, namespace: str) -> Iterator[tuple[Any, StartWorker]]:
    with application(request.param, redis_url, namespace) as running:
        yield running


@pytest.fixture
def quick_resume(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resumed consumer sleeps for 3 s in Dramatiq, unless `dramatiq_restart_delay` says less."""
    monkeypatch.setattr("dramatiq.worker.CONSUMER_RESTART_DELAY_SECS", 0.1)


@pytest.mark.usefixtures("quick_resume")
def test_a_paused_worker_starts_nothing_until_it_is_resumed(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    ran: list[int] = []

    @dramatiq.actor
    def act(number: int) -> None:
        ran.append(number)

    worker = start()
    act.send(0)
    eventually(lambda: ran == [0])
    for round_ in (1, 2):
        worker.pause()
        act.send(round_)
        with pytest.raises(QueueJoinTimeout):
            broker.join("default", timeout=300)
        assert ran == list(range(round_))
        worker.resume()
        eventually(partial(ran.__contains__, round_))
    assert ran == [0, 1, 2]


@pytest.mark.usefixtures("quick_resume")
def test_a_paused_worker_can_be_stopped_and_keeps_nothing(app: tuple[Any, StartWorker]) -> None:
    _, start = app
    ran: list[int] = []

    @dramatiq.actor
    def act(number: int) -> None:
        ran.append(number)

    first = start()
    first.pause()
    for number in range(20):
        act.send(number)
    first.stop()
    assert ran == []
    start()
    eventually(lambda: sorted(ran) == list(range(20)))


def test_joins_wait_for_what_was_sent_and_what_that_sends(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    ran: list[int] = []

    @dramatiq.actor
    def act(number: int) -> None:
        if number:
            act.send(number - 1)
        ran.append(number)

    for _ in range(5):
        act.send(3)
    worker = start()
    broker.join("default", timeout=15_000)
    worker.join()
    assert sorted(ran) == [0] * 5 + [1] * 5 + [2] * 5 + [3] * 5
    broker.join("default")


def test_flush_drops_what_waits_and_what_is_delayed_in_one_queue_or_all(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    ran: list[str] = []
    for name in ("one", "two", "three"):
        dramatiq.actor(actor_name=name, queue_name=name)(lambda name=name: ran.append(name))
        broker.get_actor(name).send()
        broker.get_actor(name).send_with_options(delay=60_000)
    broker.flush("one")
    assert drained(broker, "one")
    assert not drained(broker, "two")
    broker.flush_all()
    assert drained(broker, "two")
    assert drained(broker, "three")
    start()
    broker.get_actor("one").send()
    eventually(lambda: ran == ["one"])


def test_a_worker_that_stops_finishes_what_runs_and_leaves_the_rest(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    started: list[int] = []
    ended: list[int] = []

    @dramatiq.actor
    def act(number: int) -> None:
        started.append(number)
        time.sleep(0.3)
        ended.append(number)

    for number in range(10):
        act.send(number)
    worker = start(threads=2)
    eventually(lambda: len(started) == 2)
    worker.stop()
    assert sorted(ended) == sorted(started)
    assert not drained(broker), "the rest waits for the next worker"
    first = set(ended)
    setattr(act, "fn", ended.append)  # noqa: B010 (an actor's function is typed by its name)
    start()
    eventually(lambda: drained(broker))
    assert sorted(ended) == list(range(10))
    assert not died(broker)
    assert first


def test_one_thread_runs_messages_in_the_order_of_their_sends(app: tuple[Any, StartWorker]) -> None:
    _, start = app
    ran: list[int] = []

    @dramatiq.actor
    def act(number: int) -> None:
        ran.append(number)

    for number in range(50):
        act.send(number)
    start(threads=1)
    eventually(lambda: len(ran) == 50)
    assert ran == list(range(50))


def test_a_workers_local_priorities_order_what_it_holds(redis_url: str, namespace: str) -> None:
    with application("fair", redis_url, namespace) as (broker, start):
        ran: list[str] = []
        low = dramatiq.actor(actor_name="low", priority=10)(lambda: ran.append("low"))
        high = dramatiq.actor(actor_name="high", priority=0)(lambda: ran.append("high"))
        worker = start(threads=2)
        for thread in worker.workers:
            thread.pause()
            thread.paused_event.wait()
        low.send()
        high.send()
        # Unlike Dramatiq's, a process holds no more than it can start: here two.
        eventually(lambda: worker.work_queue.qsize() == 2)
        assert [worker.work_queue.queue[0].message.actor_name, worker.work_queue.queue[0].priority] == ["high", 0]
        worker.resume()
        eventually(lambda: sorted(ran) == ["high", "low"])
        eventually(lambda: drained(broker))


def test_unlike_dramatiq_a_large_prefetch_does_not_hoard(
    redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dramatiq.worker.QUEUE_PREFETCH", 50)
    with application("fair", redis_url, namespace) as (broker, start):
        hold: list[int] = [1]

        @dramatiq.actor
        def act() -> None:
            while hold:
                time.sleep(0.01)

        broker.enqueue_many([act.message() for _ in range(50)])
        start(threads=2)
        eventually(lambda: broker.stats(["default"])[0].active == 2)
        assert broker.stats(["default"])[0].waiting == 48, "for other workers to take"
        hold.clear()
        eventually(lambda: drained(broker))


def test_a_broker_can_have_another_worker_after_its_first(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    ran: list[int] = []

    @dramatiq.actor
    def act(number: int) -> None:
        ran.append(number)

    for number in range(3):
        worker = start(threads=1)
        act.send(number)
        eventually(partial(ran.__contains__, number))
        worker.stop()
    eventually(lambda: drained(broker))
