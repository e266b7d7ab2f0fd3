"""What few applications do, and where our broker differs from Dramatiq's on purpose."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq import Message
from dramatiq.middleware import CurrentMessage, GroupCallbacks, Middleware
from dramatiq.rate_limits.backends import StubBackend
from dropin_brokers import StartWorker, application, died, drained
from wait import eventually

from jobfleet.broker.errors import InvalidPayload


@pytest.fixture
def app(request: pytest.FixtureRequest, redis_url: str, namespace: str) -> Iterator[tuple[Any, StartWorker]]:
    with application(request.param, redis_url, namespace) as running:
        yield running


both = pytest.mark.parametrize("app", ["fair", "dramatiq"], indirect=True)
fair_only = pytest.mark.parametrize("app", ["fair"], indirect=True)


@both
@pytest.mark.parametrize("ms", [-1_000, 50, None, "soon"])
def test_a_message_that_carries_an_eta_runs_then(app: tuple[Any, StartWorker], ms: Any) -> None:
    broker, start = app
    ran: list[int] = []
    act = dramatiq.actor(actor_name="act")(lambda: ran.append(1))
    start()
    broker.enqueue(act.message_with_options(eta=int(time.time() * 1000) + ms if isinstance(ms, int) else ms))
    eventually(lambda: drained(broker))
    assert ran == [1]


@both
def test_a_message_for_the_delay_queue_runs_and_ends_no_thread(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    ran: list[int] = []
    act = dramatiq.actor(actor_name="act")(lambda: ran.append(1))
    worker = start(threads=1)
    broker.enqueue(act.message().copy(queue_name="default.DQ"))
    eventually(lambda: ran == [1] and (drained(broker) or not worker.workers[0].is_alive()))
    assert worker.workers[0].is_alive()


@both
def test_a_prefetch_of_1_runs_one_message_of_a_queue_at_a_time(
    app: tuple[Any, StartWorker], monkeypatch: pytest.MonkeyPatch
) -> None:
    broker, start = app
    monkeypatch.setattr("dramatiq.worker.QUEUE_PREFETCH", 1)
    running: list[int] = []
    most: list[int] = []

    @dramatiq.actor
    def act() -> None:
        running.append(1)
        most.append(len(running))
        time.sleep(0.05)
        running.pop()

    for _ in range(6):
        act.send()
    start(threads=4)
    eventually(lambda: drained(broker))
    assert max(most) == 1


@both
def test_the_list_of_middleware_may_be_changed_in_place(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    seen: list[str] = []

    class Watch(Middleware):
        def before_process_message(self, broker: dramatiq.Broker, message: Any) -> None:
            seen.append("hook")

    act = dramatiq.actor(actor_name="act")(lambda: seen.append("run"))
    start()
    act.send()
    eventually(lambda: seen == ["run"])
    broker.middleware.insert(0, Watch())
    act.send()
    eventually(lambda: seen.count("run") == 2)
    assert seen == ["run", "hook", "run"]


@both
def test_an_applications_own_group_callbacks_are_called(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    seen: list[str] = []

    class Watched(GroupCallbacks):
        def after_process_message(self, broker: Any, message: Any, **outcome: Any) -> None:
            seen.append(message.actor_name)
            super().after_process_message(broker, message, **outcome)  # type: ignore[no-untyped-call]

    broker.add_middleware(Watched(StubBackend()))
    act = dramatiq.actor(actor_name="act")(lambda: None)
    tell = dramatiq.actor(actor_name="tell")(lambda: None)
    members = dramatiq.group([act.message(), act.message()])
    members.add_completion_callback(tell.message())
    start()
    members.run()
    eventually(lambda: drained(broker))
    assert sorted(seen) == ["act", "act", "tell"]


@both
def test_a_group_with_the_same_message_twice_completes(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    told: list[int] = []
    broker.add_middleware(GroupCallbacks(StubBackend()))
    member = dramatiq.actor(actor_name="act")(lambda: None).message()
    tell = dramatiq.actor(actor_name="tell")(lambda: told.append(1))
    members = dramatiq.group([member, member])
    members.add_completion_callback(tell.message())
    start()
    members.run()
    eventually(lambda: drained(broker))
    assert told == [1]


@both
def test_a_thread_of_an_actor_may_send_its_message_again(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    broker.add_middleware(CurrentMessage())
    ran: list[int] = []

    @dramatiq.actor
    def act(number: int) -> None:
        ran.append(number)
        message = CurrentMessage.get_current_message()
        if number == 0 and message is not None:
            thread = threading.Thread(target=broker.enqueue, args=(message.copy(args=(1,)),))
            thread.start()
            thread.join()

    start()
    act.send(0)
    eventually(lambda: drained(broker))
    assert ran == [0, 1]


@both
def test_a_result_that_nobody_stores_may_be_anything(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    ran: list[int] = []

    @dramatiq.actor(max_retries=0)
    def act() -> object:
        ran.append(1)
        nested: list[object] = []
        for _ in range(100_000):
            nested = [nested]
        return nested

    start()
    act.send()
    eventually(lambda: drained(broker))
    assert (ran, died(broker)) == ([1], set())


@fair_only
def test_unlike_dramatiq_a_message_is_one_job_however_often_it_is_sent(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    ran: list[int] = []

    @dramatiq.actor(max_retries=0)
    def fails() -> None:
        ran.append(1)
        if len(ran) == 1:
            raise RuntimeError("once")

    @dramatiq.actor
    def again(message: dict[str, Any], error: dict[str, str]) -> None:
        broker.enqueue(Message(**message))

    start()
    dead = fails.send_with_options(on_failure="again")
    eventually(lambda: died(broker) and drained(broker))
    assert ran == [1], "a dead letter is replayed, not sent again"
    broker.dead_letters.replay([dead.message_id])
    eventually(lambda: ran == [1, 1] and drained(broker))
    broker.enqueue(dead)
    broker.join("default", timeout=5_000)
    assert ran == [1, 1]


@fair_only
def test_unlike_dramatiq_a_delay_below_0_is_refused(app: tuple[Any, StartWorker]) -> None:
    broker, _ = app
    act = dramatiq.actor(actor_name="act")(lambda: None)
    with pytest.raises(InvalidPayload, match="0 or more"):
        act.send_with_options(delay=-1)
    assert drained(broker)


@fair_only
def test_unlike_dramatiq_a_message_sent_again_before_it_starts_is_one_job(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    ran: list[int] = []
    act = dramatiq.actor(actor_name="act")(lambda: ran.append(1))
    worker = start(threads=1)
    for thread in worker.workers:
        thread.pause()
        thread.paused_event.wait()
    message = act.send()
    eventually(lambda: worker.work_queue.qsize() == 1)
    broker.enqueue(message)
    worker.resume()
    eventually(lambda: ran and drained(broker))
    assert ran == [1]
