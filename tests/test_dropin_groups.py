"""The hooks of an application's middleware see a group's completion callbacks as they do on Dramatiq's broker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq.middleware import GroupCallbacks, Middleware
from dramatiq.rate_limits.backends import StubBackend as StubLimits
from dropin_brokers import BROKERS, StartWorker, application, died, drained
from wait import eventually


@pytest.fixture(params=BROKERS)
def app(request: pytest.FixtureRequest, redis_url: str, namespace: str) -> Iterator[tuple[Any, StartWorker]]:
    with application(request.param, redis_url, namespace) as running:
        running[0].add_middleware(GroupCallbacks(StubLimits()))
        yield running


class Seen(Middleware):
    """Notes the sends of one actor, and stamps each."""

    def __init__(self, actor: str) -> None:
        self.actor = actor
        self.lines: list[str] = []

    def before_enqueue(self, broker: dramatiq.Broker, message: Any, delay: int | None) -> None:
        if message.actor_name == self.actor:
            self.lines.append(f"before {message.args[0]}")
            message.options["stamp"] = f"stamped {message.args[0]}"

    def after_enqueue(self, broker: dramatiq.Broker, message: Any, delay: int | None) -> None:
        if message.actor_name == self.actor:
            self.lines.append(f"after {message.args[0]}")


def test_hooks_see_each_callback_once_whatever_the_order_in_which_members_end(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    seen = Seen("tell")
    stamps: list[str] = []
    broker.add_middleware(seen)

    class Stamps(Middleware):
        def before_process_message(self, broker: dramatiq.Broker, message: Any) -> None:
            if message.actor_name == "tell":
                stamps.append(message.options["stamp"])

    broker.add_middleware(Stamps())

    @dramatiq.actor
    def member(number: int) -> None: ...

    @dramatiq.actor
    def tell(word: str) -> None: ...

    start()
    members = dramatiq.group(member.message(number) for number in range(20))
    members.add_completion_callback(tell.message("first"))
    members.add_completion_callback(tell.message("second"))
    members.run()
    eventually(lambda: len(stamps) == 2 and drained(broker))
    assert sorted(stamps) == ["stamped first", "stamped second"]
    assert seen.lines == ["before first", "after first", "before second", "after second"]


def test_a_member_that_failed_does_not_count_and_one_that_is_retried_counts_once(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    runs: list[str] = []

    @dramatiq.actor(max_retries=1, min_backoff=10, max_backoff=10)
    def member(name: str) -> None:
        runs.append(name)
        if name == "dead" or (name == "second time" and runs.count(name) == 1):
            raise RuntimeError("no")

    @dramatiq.actor
    def tell(word: str) -> None:
        runs.append(word)

    start()
    for word, names in {"whole": ("good", "second time"), "never": ("good", "dead")}.items():
        members = dramatiq.group(member.message(name) for name in names)
        members.add_completion_callback(tell.message(word))
        members.run()
    eventually(lambda: "whole" in runs and len(died(broker)) == 1 and drained(broker))
    assert runs.count("whole") == 1
    assert "never" not in runs
