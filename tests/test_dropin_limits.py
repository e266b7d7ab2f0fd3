"""Limits on rate, age and time, and the notice of a shutdown, mean on our broker what they mean on Dramatiq's."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sized
from functools import partial
from typing import Any

import dramatiq
import pytest
from dramatiq.middleware import Middleware, Retries, Shutdown, ShutdownNotifications, TimeLimit, TimeLimitExceeded
from dramatiq.rate_limits import BucketRateLimiter, ConcurrentRateLimiter
from dramatiq.rate_limits.backends import StubBackend
from dropin_brokers import BROKERS, StartWorker, application, died, drained
from wait import eventually


@pytest.fixture(params=BROKERS)
def app(request: pytest.FixtureRequest, redis_url: str, namespace: str) -> Iterator[tuple[Any, StartWorker]]:
    with application(request.param, redis_url, namespace) as running:
        yield running


def test_a_rate_limiter_puts_a_run_off_until_there_is_room(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    mutex = ConcurrentRateLimiter(StubBackend(), "mutex", limit=1)
    running: list[int] = []
    most: list[int] = []
    done: list[int] = []

    @dramatiq.actor(max_retries=None, min_backoff=20, max_backoff=30)
    def act(number: int) -> None:
        with mutex.acquire():
            running.append(number)
            most.append(len(running))
            time.sleep(0.01)
            running.remove(number)
            done.append(number)

    for number in range(6):
        act.send(number)
    start()
    eventually(lambda: sorted(done) == list(range(6)), 30)
    eventually(lambda: drained(broker))
    assert max(most) == 1
    assert not died(broker)


def test_a_rate_limit_that_is_exceeded_counts_as_a_failure_under_stock_retries(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    bucket = BucketRateLimiter(StubBackend(), "bucket", limit=1, bucket=60_000)
    done: list[int] = []

    @dramatiq.actor(max_retries=1, min_backoff=10, max_backoff=10)
    def act(number: int) -> None:
        with bucket.acquire():
            done.append(number)

    start(threads=1)
    act.send(1)
    eventually(lambda: done == [1])
    late = act.send(2)
    eventually(lambda: died(broker) == {late.message_id})


def test_a_message_that_is_too_old_is_failed_unrun(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    ran: list[int] = []

    @dramatiq.actor(max_age=60_000)
    def act(number: int) -> None:
        ran.append(number)

    old = act.message(1).copy(message_timestamp=int(time.time() * 1000) - 70_000)
    broker.enqueue(old)
    act.send(2)
    expired = act.message_with_options(args=(3,), max_age=1)
    broker.enqueue(expired.copy(message_timestamp=expired.message_timestamp - 10))
    start()
    eventually(lambda: died(broker) == {old.message_id, expired.message_id})
    eventually(lambda: ran == [2])


def test_a_time_limit_interrupts_the_actor(redis_url: str, namespace: str) -> None:
    for kind in BROKERS:
        limits = [TimeLimit(interval=20), Retries(max_retries=0)]
        with application(kind, redis_url, f"{namespace}-{kind}", limits) as (broker, start):
            # What the command does in each process; the limit's own thread starts there.
            limits[0].after_process_boot(broker)
            ended: list[str] = []

            @dramatiq.actor(time_limit=60)
            def act(ended: list[str] = ended) -> None:
                try:
                    while True:
                        time.sleep(0.01)
                except TimeLimitExceeded:
                    ended.append("interrupted")
                    raise

            start()
            message = act.send()
            eventually(partial(died, broker))
            assert died(broker) == {message.message_id}
            assert ended == ["interrupted"]


def test_a_shutdown_is_told_to_those_who_want_to_know(redis_url: str, namespace: str) -> None:
    for kind in BROKERS:
        middleware: list[Middleware] = [ShutdownNotifications(), Retries(max_retries=3, min_backoff=60_000)]
        with application(kind, redis_url, f"{namespace}-{kind}", middleware) as (broker, start):
            events: list[str] = []

            @dramatiq.actor(notify_shutdown=True)
            def told(events: list[str] = events) -> None:
                try:
                    events.append("told starts")
                    while True:
                        time.sleep(0.01)
                except Shutdown:
                    events.append("told")
                    raise

            @dramatiq.actor
            def untold(events: list[str] = events) -> None:
                events.append("untold starts")
                while "told" not in events:
                    time.sleep(0.01)
                events.append("untold ends")

            worker = start()
            told.send()
            untold.send()
            eventually(partial(_has, events, 2))
            worker.stop()
            assert events[2:] == ["told", "untold ends"]
            assert not drained(broker), "the interrupted one runs again later"
            assert not died(broker)


def _has(things: Sized, number: int) -> bool:
    return len(things) == number
