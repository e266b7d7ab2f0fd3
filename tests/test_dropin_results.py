"""Results reach whoever asks, through each of Dramatiq's backends and through ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq.middleware import Middleware, SkipMessage
from dramatiq.results import ResultFailure, ResultMissing, Results, ResultTimeout
from dramatiq.results.backends import RedisBackend, StubBackend
from dropin_brokers import StartWorker, application, died
from wait import eventually

from jobfleet.broker.results import SettledResults

#: Broker and backend; ours works with our broker only.
PAIRS = [
    ("fair", "settled"),
    ("fair", "redis"),
    ("fair", "stub"),
    ("dramatiq", "redis"),
    ("dramatiq", "stub"),
]


@pytest.fixture(params=PAIRS, ids="-".join)
def app(request: pytest.FixtureRequest, redis_url: str, namespace: str) -> Iterator[tuple[Any, StartWorker]]:
    kind, backend_kind = request.param
    with application(kind, redis_url, namespace) as (broker, start):
        backends: dict[str, Callable[[], Any]] = {
            "settled": lambda: SettledResults(broker),
            "redis": lambda: RedisBackend(url=redis_url, namespace=namespace),
            "stub": StubBackend,
        }
        backend = backends[backend_kind]()
        broker.add_middleware(Results(backend=backend))
        yield broker, start
        if isinstance(backend, RedisBackend):
            backend.client.close()


def test_a_result_is_waited_for_and_can_be_read_again(app: tuple[Any, StartWorker]) -> None:
    _, start = app

    @dramatiq.actor(store_results=True)
    def act(value: object) -> object:
        return value

    value = {"näme": [1, 2.5, None, True, "世界"]}
    message = act.send(value)
    with pytest.raises(ResultMissing):
        message.get_result()
    with pytest.raises(ResultTimeout):
        message.get_result(block=True, timeout=150)
    start()
    assert message.get_result(block=True, timeout=10_000) == value
    assert message.get_result() == value
    nothing = act.send(None)
    assert nothing.get_result(block=True, timeout=10_000) is None


def test_a_result_is_kept_only_where_that_was_asked_for(app: tuple[Any, StartWorker]) -> None:
    _, start = app

    @dramatiq.actor(store_results=True)
    def stores() -> int:
        return 1

    @dramatiq.actor
    def stores_not() -> int:
        return 2

    start()
    kept = [stores.send(), stores_not.send_with_options(store_results=True)]
    lost = [stores_not.send(), stores.send_with_options(store_results=False)]
    last = stores.send()
    assert [message.get_result(block=True, timeout=10_000) for message in [*kept, last]] == [1, 2, 1]
    for message in lost:
        with pytest.raises(ResultMissing):
            message.get_result()


def test_a_result_is_gone_after_its_time(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    whole_seconds_only = isinstance(broker.get_results_backend(), StubBackend)

    @dramatiq.actor(store_results=True, result_ttl=1_000 if whole_seconds_only else 300)
    def act() -> int:
        return 1

    start()
    message = act.send()
    assert eventually(lambda: _present(message))
    eventually(lambda: not _present(message))


def test_a_failure_is_raised_where_the_result_is_asked_for(app: tuple[Any, StartWorker]) -> None:
    broker, start = app

    @dramatiq.actor(store_results=True, max_retries=0)
    def act() -> None:
        raise ValueError("not today")

    start()
    message = act.send()
    with pytest.raises(ResultFailure, match="ValueError: not today") as caught:
        message.get_result(block=True, timeout=10_000)
    assert (caught.value.orig_exc_type, caught.value.orig_exc_msg) == ("ValueError", "not today")
    eventually(lambda: died(broker) == {message.message_id})


def test_a_result_waits_for_the_last_retry(app: tuple[Any, StartWorker]) -> None:
    _, start = app
    runs: list[int] = []

    @dramatiq.actor(store_results=True, max_retries=2, min_backoff=10, max_backoff=20)
    def act() -> int:
        runs.append(1)
        if len(runs) < 3:
            raise RuntimeError("again")
        return len(runs)

    message = act.send()
    start()
    assert message.get_result(block=True, timeout=15_000) == 3


def test_a_skipped_message_has_none_as_its_result_and_a_failed_one_its_reason(app: tuple[Any, StartWorker]) -> None:
    broker, start = app

    class Gate(Middleware):
        def before_process_message(self, broker: dramatiq.Broker, message: Any) -> None:
            if "fail" in message.options:
                message.fail()
            if "gate" in message.options:
                raise SkipMessage("closed")

    broker.add_middleware(Gate())
    ran: list[int] = []

    @dramatiq.actor(store_results=True)
    def act() -> None:
        ran.append(1)

    start()
    skipped = act.send_with_options(gate=1)
    failed = act.send_with_options(gate=1, fail=1)
    assert skipped.get_result(block=True, timeout=10_000) is None
    with pytest.raises(ResultFailure, match="SkipMessage: closed"):
        failed.get_result(block=True, timeout=10_000)
    assert ran == []


def _present(message: dramatiq.Message[Any]) -> bool:
    try:
        message.get_result()
    except ResultMissing:
        return False
    return True
