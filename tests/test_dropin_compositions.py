"""Pipelines and groups do on our broker what they do on Dramatiq's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq import group, pipeline
from dramatiq.middleware import GroupCallbacks, Middleware
from dramatiq.rate_limits.backends import RedisBackend as RedisLimits
from dramatiq.rate_limits.backends import StubBackend as StubLimits
from dramatiq.results import Results, ResultTimeout
from dramatiq.results.backends import RedisBackend
from dropin_brokers import BROKERS, StartWorker, application, died, drained
from wait import eventually

WAIT = {"block": True, "timeout": 15_000}


@pytest.fixture(params=BROKERS)
def app(request: pytest.FixtureRequest, redis_url: str, namespace: str) -> Iterator[tuple[Any, StartWorker]]:
    with application(request.param, redis_url, namespace) as (broker, start):
        backend = RedisBackend(url=redis_url, namespace=namespace)
        broker.add_middleware(Results(backend=backend))
        yield broker, start
        backend.client.close()


@pytest.fixture(params=["redis", "stub"])
def limits(request: pytest.FixtureRequest, redis_url: str) -> Iterator[Any]:
    if request.param == "stub":
        yield StubLimits()
        return
    backend = RedisLimits(url=redis_url)
    yield backend
    backend.client.close()


def test_a_pipeline_feeds_each_result_into_the_next_stage(app: tuple[Any, StartWorker]) -> None:
    _, start = app

    @dramatiq.actor(store_results=True)
    def add(x: int, y: int) -> int:
        return x + y

    start()
    pipe = add.message(1, 2) | (add.message_with_options(args=(3,)) | add.message_with_options(args=(4,)))
    assert not pipe.completed
    assert pipe.run() is pipe
    assert pipe.get_result(**WAIT) == 10
    assert list(pipe.get_results()) == [3, 6, 10]
    assert (pipe.completed, pipe.completed_count, len(pipe)) == (True, 3, 3)


def test_a_stage_may_ignore_the_result_before_it(app: tuple[Any, StartWorker]) -> None:
    _, start = app

    @dramatiq.actor(store_results=True)
    def args(*args: object) -> list[object]:
        return list(args)

    start()
    pipe = args.message(1) | args.message_with_options(args=(2,), pipe_ignore=True) | args.message(3)
    assert pipe.run().get_result(**WAIT) == [3, [2]]
    assert list(pipe.get_results()) == [[1], [2], [3, [2]]]


def test_delays_of_a_pipeline_and_of_its_stages_are_kept(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    delays: list[int | None] = []

    class Delays(Middleware):
        def before_enqueue(self, broker: dramatiq.Broker, message: Any, delay: int | None) -> None:
            if delay is not None:
                delays.append(delay)

    broker.add_middleware(Delays())

    @dramatiq.actor(store_results=True)
    def add(x: int, y: int) -> int:
        return x + y

    start()
    pipe = add.message_with_options(args=(1, 2), delay=20) | add.message_with_options(args=(3,), delay=40)
    assert pipe.run(delay=30).get_result(**WAIT) == 6
    assert delays == [30, 40], "the greater of the first stage's and the pipeline's, then the stage's"
    with pytest.raises(ResultTimeout):
        (add.message(1, 2) | add.message_with_options(args=(3,), delay=60_000)).run().get_result(
            block=True, timeout=100
        )
    broker.flush("default")


def test_a_pipeline_ends_at_a_stage_that_fails_and_goes_on_after_one_that_was_retried(
    app: tuple[Any, StartWorker],
) -> None:
    broker, start = app
    ran: list[object] = []

    @dramatiq.actor(max_retries=1, min_backoff=10, max_backoff=10)
    def fails(times: int) -> str:
        ran.append(times)
        if ran.count(times) <= times:
            raise RuntimeError("again")
        return f"after {times}"

    @dramatiq.actor
    def last(result: str) -> None:
        ran.append(result)

    start()
    dead = fails.message(2) | last.message_with_options()
    alive = fails.message(1) | last.message_with_options()
    dead.run()
    alive.run()
    eventually(lambda: "after 1" in ran and died(broker) == {dead.messages[0].message_id})
    eventually(lambda: drained(broker))
    assert sorted(map(str, ran)) == ["1", "1", "2", "2", "after 1"]


def test_results_of_groups_of_messages_pipelines_and_groups(app: tuple[Any, StartWorker]) -> None:
    _, start = app

    @dramatiq.actor(store_results=True)
    def add(x: int, y: int) -> int:
        return x + y

    start()
    members = group(
        [
            add.message(1, 1),
            add.message(1, 2) | add.message_with_options(args=(3,)),
            group(add.message(n, n) for n in range(3)),
        ]
    )
    members.run(delay=20)
    assert list(members.get_results(**WAIT)) == [2, 6, [0, 2, 4]]
    assert (members.completed, members.completed_count, len(members)) == (True, 3, 3)
    members.wait(timeout=1_000)


def test_a_group_that_is_not_done_in_time(app: tuple[Any, StartWorker]) -> None:
    @dramatiq.actor(store_results=True)
    def act() -> None: ...

    members = group([act.message(), act.message()]).run()
    with pytest.raises(ResultTimeout):
        members.wait(timeout=100)
    assert not members.completed


def test_completion_callbacks_come_once_after_the_last_member(app: tuple[Any, StartWorker], limits: Any) -> None:
    broker, start = app
    broker.add_middleware(GroupCallbacks(limits))
    done: list[int] = []
    told: list[tuple[str, int]] = []

    @dramatiq.actor(max_retries=2, min_backoff=10, max_backoff=10)
    def member(number: int) -> int:
        if number == 3 and -3 not in done:
            done.append(-3)
            raise RuntimeError("once")
        done.append(number)
        return number

    @dramatiq.actor(queue_name="callbacks")
    def tell(word: str) -> None:
        told.append((word, len([number for number in done if number >= 0])))

    start()
    members = group([member.message(1), member.message(2) | member.message_with_options(pipe_ignore=True, args=(3,))])
    members.add_completion_callback(tell.message("first"))
    members.add_completion_callback(tell.message("second"))
    members.run()
    eventually(lambda: sorted(told) == [("first", 3), ("second", 3)])
    members.children = [member.message(4), member.message(5)]
    members.completion_callbacks = [tell.message("again").asdict()]
    members.run()
    eventually(lambda: ("again", 5) in told)
    eventually(lambda: drained(broker) and drained(broker, "callbacks"))
    assert len(told) == 3


def test_a_callback_may_be_a_group_of_its_own(app: tuple[Any, StartWorker], limits: Any) -> None:
    broker, start = app
    broker.add_middleware(GroupCallbacks(limits))
    told: list[str] = []

    @dramatiq.actor
    def member() -> None: ...

    @dramatiq.actor
    def inner() -> None:
        members = group([member.message() for _ in range(3)])
        members.add_completion_callback(tell.message("inner is done"))
        members.run()

    @dramatiq.actor
    def tell(word: str) -> None:
        told.append(word)

    start()
    outer = group([member.message(), member.message()])
    outer.add_completion_callback(inner.message())
    outer.run()
    eventually(lambda: told == ["inner is done"])


def test_groups_in_groups_and_missing_middleware_are_refused_as_ever(app: tuple[Any, StartWorker]) -> None:
    broker, _ = app

    @dramatiq.actor
    def act() -> None: ...

    members = group([group([act.message()])])
    members.add_completion_callback(act.message())
    with pytest.raises(RuntimeError, match="GroupCallbacks"):
        members.run()
    broker.add_middleware(GroupCallbacks(StubLimits()))
    with pytest.raises(NotImplementedError):
        members.run()


@pytest.mark.parametrize("app", ["fair"], indirect=True)
def test_unlike_dramatiq_a_second_run_of_the_same_messages_is_no_second_job(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    ran: list[int] = []

    @dramatiq.actor
    def act(number: int) -> None:
        ran.append(number)

    pipe = pipeline([act.message(1)])
    pipe.run()
    pipe.run()
    start()
    eventually(lambda: drained(broker))
    assert ran == [1], "an id is one job: a repeated send changes nothing"
