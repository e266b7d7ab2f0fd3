"""The hooks of an application's middleware are called on our broker as they are on Dramatiq's."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import dramatiq
import pytest
from dramatiq.middleware import (
    AsyncIO,
    Middleware,
    SkipMessage,
)
from dropin_brokers import BROKERS, StartWorker, application, died, drained
from wait import eventually

MESSAGE_HOOKS = ("enqueue", "delay_message", "process_message", "skip_message", "ack", "nack")


@pytest.fixture(params=BROKERS)
def app(request: pytest.FixtureRequest, redis_url: str, namespace: str) -> Iterator[tuple[Any, StartWorker]]:
    with application(request.param, redis_url, namespace) as running:
        yield running


class Recorder(Middleware):
    """Notes every hook that is called, with what tells calls apart."""

    def __init__(self, seen: list[str], name: str = "") -> None:
        self.seen = seen
        self.prefix = f"{name}:" if name else ""


def _note(hook: str) -> Any:
    def record(self: Recorder, broker: Any, *args: Any, **kwargs: Any) -> None:
        details = []
        if hook.endswith("enqueue"):
            details.append(str(args[1]))
        if kwargs.get("exception") is not None:
            details.append(type(kwargs["exception"]).__name__)
        elif "result" in kwargs:
            details.append(repr(kwargs["result"]))
        self.seen.append(" ".join([self.prefix + hook, *details]))

    return record


for _name in [name for name in vars(Middleware) if name.startswith(("before_", "after_"))]:
    setattr(Recorder, _name, _note(_name))


def of_messages(seen: list[str]) -> list[str]:
    return [line for line in seen if any(f"_{hook}" in line for hook in MESSAGE_HOOKS)]


def test_the_hooks_of_a_run_of_a_failure_and_of_a_skipped_message(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    seen: list[str] = []

    class Gate(Middleware):
        def before_process_message(self, broker: dramatiq.Broker, message: Any) -> None:
            if "gate" in message.options:
                raise SkipMessage

    broker.add_middleware(Gate())
    broker.add_middleware(Recorder(seen))

    @dramatiq.actor(max_retries=0)
    def act(*, fails: bool) -> str | None:
        if fails:
            raise KeyError("no")
        return None

    start()
    seen.clear()
    expected: dict[str, list[str]] = {
        "completed": ["before_process_message", "after_process_message None", "before_ack", "after_ack"],
        "failed": ["before_process_message", "after_process_message KeyError", "before_nack", "after_nack"],
        "skipped": ["after_skip_message", "before_ack", "after_ack"],
    }
    for kind, hooks in expected.items():
        options: dict[str, Any] = {"gate": 1} if kind == "skipped" else {}
        act.send_with_options(kwargs={"fails": kind == "failed"}, **options)
        eventually(partial({hooks[-1], "after_enqueue None"}.issubset, seen))
        # The worker may be done before the sender's own thread calls after_enqueue.
        assert [line for line in of_messages(seen) if "enqueue" not in line] == hooks, kind
        assert [line for line in seen if "enqueue" in line] == ["before_enqueue None", "after_enqueue None"], kind
        seen.clear()


def test_the_hooks_of_a_retry_are_those_of_a_send_within_its_run(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    seen: list[str] = []
    broker.add_middleware(Recorder(seen))
    ran: list[int] = []

    @dramatiq.actor
    def act() -> None:
        ran.append(1)
        if len(ran) == 1:
            raise dramatiq.Retry("once", delay=10)

    start()
    seen.clear()
    act.send()
    eventually(lambda: "after_process_message None" in seen and drained(broker))
    lines = [line for line in of_messages(seen) if "process_message" in line or line.endswith("enqueue 10")]
    # Retries is above the recorder in the list, so it comes later in after_*.
    assert lines == [
        "before_process_message", "after_process_message Retry", "before_enqueue 10", "after_enqueue 10",
        "before_process_message", "after_process_message None",
    ]  # fmt: skip
    assert not [line for line in seen if "nack" in line]


def test_unlike_dramatiq_a_delay_is_kept_by_the_server_and_no_second_send(redis_url: str, namespace: str) -> None:
    with application("fair", redis_url, namespace) as (broker, start):
        seen: list[str] = []
        broker.add_middleware(Recorder(seen))
        dramatiq.actor(actor_name="act")(lambda: None)
        assert broker.get_declared_delay_queues() == set()
        start()
        seen.clear()
        broker.get_actor("act").send_with_options(delay=100)
        eventually(lambda: of_messages(seen)[-1:] == ["after_ack"])
        assert of_messages(seen) == [
            "before_enqueue 100", "after_enqueue 100",
            "before_process_message", "after_process_message None", "before_ack", "after_ack",
        ]  # fmt: skip


def test_before_hooks_run_down_the_list_and_after_hooks_up(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    seen: list[str] = []
    broker.add_middleware(Recorder(seen, "second"))
    broker.add_middleware(Recorder(seen, "first"), before=Recorder)
    broker.add_middleware(Recorder(seen, "third"), after=Recorder)
    # The last of a class that was found is the first in the list: "third" stands between the other two.
    order = [m.prefix[:-1] for m in broker.middleware if isinstance(m, Recorder)]
    assert order == ["first", "third", "second"]
    with pytest.raises(ValueError, match="not found"):
        broker.add_middleware(Recorder(seen), after=AsyncIO)

    dramatiq.actor(actor_name="act")(lambda: None)
    start()
    broker.get_actor("act").send()
    eventually(lambda: "first:after_ack" in seen and "first:after_enqueue None" in seen)
    for hook in ("declare_queue", "declare_actor", "enqueue", "process_message", "ack", "worker_boot"):
        before = [line.split(":")[0] for line in seen if line.split()[0].endswith(f":before_{hook}")]
        after = [line.split(":")[0] for line in seen if line.split()[0].endswith(f":after_{hook}")]
        assert (before, after) == (order, order[::-1]), hook


def test_the_hooks_of_a_worker_and_its_threads(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    seen: list[str] = []
    broker.add_middleware(Recorder(seen))
    dramatiq.actor(actor_name="act", queue_name="one")(lambda: None)
    broker.emit_after("process_boot")
    worker = start(threads=2)
    eventually(lambda: seen.count("after_worker_thread_boot") == 2 and "after_consumer_thread_boot" in seen)
    worker.stop()
    of_worker = [line for line in seen if "worker_boot" in line or "worker_shutdown" in line or "process_boot" in line]
    assert of_worker == [
        "after_process_boot", "before_worker_boot", "after_worker_boot", "before_worker_shutdown", "after_worker_shutdown",
    ]  # fmt: skip
    assert seen.count("before_worker_thread_shutdown") == 2
    assert seen.count("before_consumer_thread_shutdown") == seen.count("after_consumer_thread_boot") >= 1


def test_a_hook_may_fail_a_message_before_it_runs(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    ran: list[int] = []

    class Abort(Middleware):
        def before_process_message(self, broker: dramatiq.Broker, message: Any) -> None:
            if "fail" in message.options:
                message.fail()
            if "abort" in message.options:
                raise message.options["abort"] and SkipMessage("aborted")

    broker.add_middleware(Abort())

    @dramatiq.actor
    def act(number: int) -> None:
        ran.append(number)

    start()
    failed = act.send_with_options(args=(1,), fail=True)
    act.send_with_options(args=(2,), abort=True)
    both = act.send_with_options(args=(3,), fail=True, abort=True)
    act.send(4)
    eventually(lambda: ran == [4] and drained(broker))
    assert died(broker) == {failed.message_id, both.message_id}


def test_an_error_in_a_hook_is_logged_and_the_rest_goes_on(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    ran: list[int] = []

    class Broken(Middleware):
        def fail(self, *arguments: Any, **outcome: Any) -> None:
            raise ConnectionError("away")

        before_enqueue = after_enqueue = before_process_message = after_process_message = fail
        before_ack = after_ack = fail

    broker.add_middleware(Broken())

    @dramatiq.actor
    def act() -> None:
        ran.append(1)

    start()
    act.send()
    eventually(lambda: ran == [1] and drained(broker))


def test_a_middleware_error_in_before_enqueue_refuses_the_send(app: tuple[Any, StartWorker]) -> None:
    broker, _ = app

    class Refuse(Middleware):
        def before_enqueue(self, broker: dramatiq.Broker, message: Any, delay: int | None) -> None:
            raise dramatiq.middleware.MiddlewareError("no more today")

    broker.add_middleware(Refuse())
    act = dramatiq.actor(actor_name="act")(lambda: None)
    with pytest.raises(dramatiq.middleware.MiddlewareError, match="no more today"):
        act.send()
    assert drained(broker)
