"""What an application says of its actors and messages means the same on both brokers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dramatiq
import pytest
from dramatiq import Message
from dramatiq.encoder import JSONEncoder, PickleEncoder
from dramatiq.errors import ActorNotFound
from dramatiq.middleware import CurrentMessage
from dropin_brokers import BROKERS, StartWorker, application, drained
from wait import eventually


@pytest.fixture(params=BROKERS)
def app(request: pytest.FixtureRequest, redis_url: str, namespace: str) -> Iterator[tuple[Any, StartWorker]]:
    with application(request.param, redis_url, namespace) as running:
        yield running


def test_plain_and_keyword_arguments_arrive_as_they_were_sent(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    seen: list[object] = []

    @dramatiq.actor
    def act(*args: object, **kwargs: object) -> None:
        seen.append((args, kwargs))

    nested = {"list": [1, 2.5, None, True], "text": "Grüße, 世界 🎉", "": {"deep": {}}}
    start()
    act.send(1, "två", nested, key=None, ключ="значение")
    eventually(lambda: seen == [((1, "två", nested), {"key": None, "ключ": "значение"})])
    assert act(1) is None, "and the actor is still a function"
    assert drained(broker) or eventually(lambda: drained(broker))


def test_actors_are_sync_async_or_classes_and_any_actor_class(app: tuple[Any, StartWorker]) -> None:
    _, start = app
    seen: list[str] = []

    class Base(dramatiq.GenericActor):
        class Meta:
            abstract = True
            queue_name = "classes"
            max_retries = 3

        def name(self) -> str:
            raise NotImplementedError

        def perform(self, number: int) -> None:
            seen.append(f"{self.name()} {number}")

    class Foo(Base):
        def name(self) -> str:
            return "foo"

    class Own(dramatiq.Actor[[int], None]):
        def send_twice(self, number: int) -> None:
            self.send(number)
            self.send(number)

    @dramatiq.actor(actor_class=Own, queue_name="own")
    def own(number: int) -> None:
        seen.append(f"own {number}")

    start()
    Foo.send(1)
    assert isinstance(own, Own)
    own.send_twice(2)
    eventually(lambda: sorted(seen) == ["foo 1", "own 2", "own 2"])
    assert (Foo.actor_name, Foo.queue_name, Foo.options["max_retries"]) == ("Foo", "classes", 3)


def test_names_of_actors_and_queues_are_checked_and_listed(app: tuple[Any, StartWorker]) -> None:
    broker, _ = app

    @dramatiq.actor(actor_name="a", queue_name="one")
    def first() -> None: ...

    assert broker.get_declared_actors() == {"a"}
    assert broker.get_declared_queues() == {"one"}
    assert broker.get_actor("a") is first
    broker.declare_queue("one")
    broker.declare_queue("two")
    assert broker.get_declared_queues() == {"one", "two"}
    with pytest.raises(ActorNotFound):
        broker.get_actor("b")
    with pytest.raises(ValueError, match="already registered"):
        dramatiq.actor(actor_name="a")(lambda: None)
    with pytest.raises(ValueError, match="Queue names"):
        dramatiq.actor(actor_name="c", queue_name="$bad")(lambda: None)
    with pytest.raises(ValueError, match="actor options are undefined"):
        dramatiq.actor(actor_name="d", unheard_of=1)(lambda: None)


def test_declaring_an_actor_again_replaces_it(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    seen: list[str] = []

    @dramatiq.actor
    def act() -> None:
        seen.append("old")

    act.fn = lambda: seen.append("new")
    broker.declare_actor(act)
    start()
    act.send()
    eventually(lambda: seen == ["new"])


def test_options_arrive_unchanged_and_only_the_broker_adds_its_own(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    broker.add_middleware(CurrentMessage())
    seen: list[Message[Any]] = []

    @dramatiq.actor
    def act(*args: object, **kwargs: object) -> None:
        proxy = CurrentMessage.get_current_message()
        assert proxy is not None
        seen.append(Message.decode(proxy.encode()))

    options: dict[str, Any] = {
        "trace": {"id": "é", "parents": [1, 2]},
        "none": None,
        "max_retries": 5,
        "on_success": None,
    }
    sent = act.send_with_options(args=(1,), kwargs={"k": "v"}, **options)
    start()
    eventually(lambda: seen)
    got = seen[0]
    assert {name: got.options[name] for name in options} == options
    assert set(got.options) - set(options) <= {"redis_message_id"}
    for field in ("message_id", "message_timestamp", "actor_name", "queue_name", "args", "kwargs"):
        assert getattr(got, field) == getattr(sent, field), field
    assert (got.message_datetime, got.message_datetime.tzinfo) == (sent.message_datetime, sent.message_datetime.tzinfo)
    assert Message(**got.asdict()) == got == Message.decode(got.encode())


def test_a_delayed_message_arrives_without_a_trace_of_its_delay(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    broker.add_middleware(CurrentMessage())
    seen: list[Any] = []

    @dramatiq.actor
    def act() -> None:
        proxy = CurrentMessage.get_current_message()
        assert proxy is not None
        seen.append((proxy.message_id, proxy.queue_name, sorted(set(proxy.options) - {"redis_message_id"})))

    start()
    sent = act.send_with_options(delay=timedelta(milliseconds=30), mark=1)
    eventually(lambda: seen == [(sent.message_id, "default", ["mark"])])


def test_a_message_of_another_process_runs_though_its_sender_never_declared_the_queue(
    app: tuple[Any, StartWorker],
) -> None:
    broker, start = app
    seen: list[int] = []
    broker.enqueue(Message(queue_name="elsewhere", actor_name="act", args=(1,), kwargs={}, options={}))

    @dramatiq.actor(queue_name="elsewhere")
    def act(number: int) -> None:
        seen.append(number)

    start()
    eventually(lambda: seen == [1])


def test_queues_and_actors_may_be_declared_while_the_worker_runs(app: tuple[Any, StartWorker]) -> None:
    _, start = app
    seen: list[int] = []
    start()

    @dramatiq.actor(queue_name="late")
    def act(number: int) -> None:
        seen.append(number)

    act.send(1)
    eventually(lambda: seen == [1])


def test_a_worker_serves_the_named_queues_only(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    seen: list[str] = []
    for name in ("left", "right"):
        dramatiq.actor(actor_name=name, queue_name=name)(lambda name=name: seen.append(name))
        broker.get_actor(name).send()
    start(queues={"left"})
    eventually(lambda: drained(broker, "left") and seen == ["left"])
    assert not drained(broker, "right")


def test_forty_queues_are_served_by_one_worker(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    seen: set[str] = set()
    names = [f"queue-{number}.a_b" for number in range(40)]
    for name in names:
        dramatiq.actor(actor_name=f"актёр {name}", queue_name=name)(lambda name=name: seen.add(name))
        broker.get_actor(f"актёр {name}").send()
    start()
    eventually(lambda: seen == set(names), 30)
    eventually(lambda: all(drained(broker, name) for name in names))


@pytest.mark.parametrize("encoder", [PickleEncoder(), JSONEncoder()])
def test_the_applications_encoder_is_used(app: tuple[Any, StartWorker], encoder: Any) -> None:
    _, start = app
    seen: list[object] = []
    values = {"plain": 1} if isinstance(encoder, JSONEncoder) else {"id": uuid.UUID(int=7), "raw": b"\x00\xff\xfe"}

    @dramatiq.actor(max_retries=1, min_backoff=10, max_backoff=10)
    def act(value: object) -> None:
        seen.append(value)
        if len(seen) == 1:
            raise RuntimeError("once")

    previous = dramatiq.get_encoder()
    dramatiq.set_encoder(encoder)
    try:
        start()
        act.send(values)
        eventually(lambda: seen == [values, values])
        act.send_with_options(args=(values,), delay=10)
        eventually(lambda: seen == [values] * 3)
    finally:
        dramatiq.set_encoder(previous)
