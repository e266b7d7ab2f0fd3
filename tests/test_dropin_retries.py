"""Failures, retries, limits and callbacks mean on our broker what they mean on Dramatiq's, under its stock middleware."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq import Retry
from dramatiq.middleware import Middleware, Retries, Shutdown, ShutdownNotifications, TimeLimit, TimeLimitExceeded
from dramatiq.rate_limits import BucketRateLimiter, ConcurrentRateLimiter
from dramatiq.rate_limits.backends import StubBackend
from dropin_brokers import BROKERS, StartWorker, application, died, drained
from wait import eventually


@pytest.fixture(params=BROKERS)
def app(request: pytest.FixtureRequest, redis_url: str, namespace: str) -> Iterator[tuple[Any, StartWorker]]:
    with application(request.param, redis_url, namespace) as running:
        yield running


class Delays(Middleware):
    """Notes each send's delay."""

    def __init__(self) -> None:
        self.seen: list[int | None] = []

    def after_enqueue(self, broker: dramatiq.Broker, message: Any, delay: int | None) -> None:
        self.seen.append(delay)


def watch_delays(broker: Any) -> list[int | None]:
    delays = Delays()
    broker.add_middleware(delays)
    return delays.seen


@pytest.mark.parametrize("on_message", [False, True])
def test_max_retries_counts_retries_and_not_runs(app: tuple[Any, StartWorker], on_message: bool) -> None:
    broker, start = app
    runs: list[int] = []
    options: dict[str, Any] = {"max_retries": 2, "min_backoff": 10, "max_backoff": 20}

    @dramatiq.actor(**({} if on_message else options))
    def act() -> None:
        runs.append(1)
        raise RuntimeError("always")

    start()
    message = act.send_with_options(**(options if on_message else {}))
    eventually(lambda: died(broker) == {message.message_id})
    assert len(runs) == 3


def test_max_retries_0_fails_at_once_and_none_retries_on(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    runs: list[str] = []

    @dramatiq.actor(max_retries=0)
    def never() -> None:
        runs.append("never")
        raise RuntimeError("once")

    @dramatiq.actor(max_retries=None, min_backoff=1, max_backoff=1)
    def endless() -> None:
        runs.append("endless")
        if runs.count("endless") < 25:
            raise RuntimeError("again")

    start()
    dead = never.send()
    endless.send()
    eventually(lambda: runs.count("endless") == 25, 30)
    eventually(lambda: drained(broker))
    assert died(broker) == {dead.message_id}
    assert runs.count("never") == 1


def test_backoff_grows_from_the_least_to_the_most(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    delays = watch_delays(broker)

    @dramatiq.actor(max_retries=4, min_backoff=10, max_backoff=50)
    def act() -> None:
        raise RuntimeError("always")

    start()
    act.send()
    eventually(lambda: died(broker))
    seen = [delay for delay in delays if delay is not None]
    # Dramatiq's own jitter stretches each to once or twice its nominal value; the most is jittered below itself.
    least_and_most = [(10, 20), (20, 40), (25, 50), (25, 50)]
    assert [least <= delay <= most for delay, (least, most) in zip(seen, least_and_most, strict=True)] == [True] * 4


def test_a_retry_names_its_own_delay_and_the_message_says_what_happened(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    delays = watch_delays(broker)
    seen: list[dict[str, Any]] = []

    class Watch(Middleware):
        def before_process_message(self, broker: dramatiq.Broker, message: Any) -> None:
            seen.append(dict(message.options))

    broker.add_middleware(Watch())

    @dramatiq.actor(min_backoff=60_000)
    def act() -> None:
        if len(seen) < 3:
            raise Retry("not yet", delay=len(seen) * 15)

    start()
    act.send()
    eventually(lambda: len(seen) == 3)
    assert [delay for delay in delays if delay is not None] == [15, 30]
    assert [options.get("retries") for options in seen] == [None, 1, 2]
    assert "raise Retry" in seen[2]["traceback"]
    assert abs(seen[2]["requeue_timestamp"] - time.time() * 1000) < 60_000
    assert "eta" not in seen[2]


def test_retry_when_decides(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    asked: list[tuple[int, str]] = []

    def retry_when(retries: int, error: BaseException) -> bool:
        asked.append((retries, str(error)))
        return retries < 2

    @dramatiq.actor(retry_when=retry_when, max_retries=0, min_backoff=10, max_backoff=10)
    def act() -> None:
        raise RuntimeError("always")

    start()
    message = act.send()
    eventually(lambda: died(broker) == {message.message_id})
    assert asked == [(0, "always"), (1, "always"), (2, "always")]


def test_throws_is_not_retried(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    runs: list[int] = []

    @dramatiq.actor(throws=(KeyError, ValueError))
    def act() -> None:
        runs.append(1)
        raise ValueError("expected")

    start()
    message = act.send()
    eventually(lambda: died(broker) == {message.message_id})
    assert runs == [1]


def test_callbacks_of_success_failure_and_exhaustion_get_what_they_always_got(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    told: list[tuple[str, Any, Any, Any]] = []

    def note(name: str) -> dramatiq.Actor[..., None]:
        @dramatiq.actor(actor_name=name, queue_name="callbacks")
        def actor(message: dict[str, Any], result: Any) -> None:
            told.append((name, message["message_id"], message["args"], result))

        return actor

    note("success")
    note("exhausted")
    failure = note("failure")

    @dramatiq.actor(on_success="success", max_retries=1, min_backoff=10, max_backoff=10, on_retry_exhausted="exhausted")
    def act(fails: bool) -> str:
        if fails:
            raise RuntimeError("broken")
        return "fine"

    start()
    good = act.send(False)
    bad = act.send_with_options(args=(True,), on_failure=failure)
    error = {"type": "RuntimeError", "message": "broken"}
    expected = [
        ("exhausted", bad.message_id, [True], {"retries": 1, "max_retries": 1}),
        ("failure", bad.message_id, [True], error),
        ("failure", bad.message_id, [True], error),
        ("success", good.message_id, [False], "fine"),
    ]
    eventually(lambda: sorted(told, key=lambda call: call[0]) == expected)
    eventually(lambda: drained(broker, "callbacks"))


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
            eventually(lambda broker=broker, message=message: died(broker) == {message.message_id})
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
            eventually(lambda events=events: len(events) == 2)
            worker.stop()
            assert events[2:] == ["told", "untold ends"]
            assert not drained(broker), "the interrupted one runs again later"
            assert not died(broker)
