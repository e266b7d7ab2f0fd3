"""Failures, retries and callbacks mean on our broker what they mean on Dramatiq's, under its stock middleware."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq import Retry
from dramatiq.middleware import Middleware
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

    def fails() -> None:
        runs.append(1)
        raise RuntimeError("always")

    act: Any = dramatiq.actor(**({} if on_message else options))(fails)

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
