"""Groups, one settle at a time: who brings the callbacks, and which settle sends them."""

from __future__ import annotations

from typing import Any

import pytest
from dramatiq import Message
from scripted_worker import ScriptedWorker
from wait import present

from jobfleet.broker import FairBroker
from jobfleet.middleware.idempotency import Idempotency

CALLBACK = [1, "callback", "default", "acme", "done", 5, 0, "", ""]


def message(number: int, **options: Any) -> Message[Any]:
    return Message[Any]("default", "act", (number,), {}, options, f"m{number}")


def members(broker: FairBroker, count: int) -> tuple[ScriptedWorker, list[str]]:
    """A worker that runs all members of the group g."""
    for number in range(count):
        broker.enqueue(message(number))
    broker.scripts.call("group", "g", count, 60_000)
    worker = ScriptedWorker(broker)
    return worker, [row[0] for row in worker.fetch(count)]


def arrive(broker: FairBroker, member: str) -> bool:
    return bool(broker.scripts.call("group_arrive", "g", member, 60_000))


def settle(worker: ScriptedWorker, member: str, *callbacks: list[Any]) -> None:
    worker.settle(member, "completed", ["", "", 0], group=["g", 60_000, list(callbacks)])


def left_of_group(broker: FairBroker) -> list[str]:
    """The group's keys, without the one by which a late repeat of a member is known."""
    prefix = broker.keys.prefix
    return [key.decode() for kind in ("arrived", "callbacks") for key in broker.client.scan_iter(f"{prefix}:{kind}:*")]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_last_to_arrive_brings_the_callbacks_and_the_last_settle_sends_them(
    broker: FairBroker, order: tuple[int, ...]
) -> None:
    worker, ids = members(broker, 3)
    assert [arrive(broker, member) for member in ids] == [False, False, True]
    for at in order:
        assert broker.get("callback") is None
        settle(worker, ids[at], *([CALLBACK] if at == 2 else []))
    assert present(broker.get("callback")).state == "pending"
    assert left_of_group(broker) == []
    assert broker.audit().clean, str(broker.audit())


def test_a_member_whose_first_run_was_lost_after_it_arrived_brings_the_callbacks_again(broker: FairBroker) -> None:
    worker, (first, second) = members(broker, 2)
    assert (arrive(broker, first), arrive(broker, second)) == (False, True)
    settle(worker, second, CALLBACK)
    worker.settle(first, "released", ["lost"])
    assert broker.get("callback") is None
    worker.fetch(1)
    assert arrive(broker, first)
    settle(worker, first, CALLBACK)
    assert present(broker.get("callback")).state == "pending"


@pytest.mark.parametrize("kind", ["retry", "failed", "skipped", "cancelled", "postponed"])
def test_a_member_that_did_not_complete_does_not_count(broker: FairBroker, kind: str) -> None:
    details: dict[str, list[Any]] = {
        "retry": [1, 10, "error", ""],
        "failed": [1, "error", "RuntimeError", "", "bad_result", "", "", 0],
        "postponed": [1, 10, "away"],
    }
    worker, (first, second) = members(broker, 2)
    settle(worker, first)
    worker.settle(second, kind, details.get(kind, ["", "", 0]), group=["g", 60_000, [CALLBACK]])
    assert broker.get("callback") is None


@pytest.mark.parametrize("settled_first", [False, True])
def test_a_last_message_that_is_no_job_leaves_the_callbacks_to_whoever_ends_the_group(
    broker: FairBroker, settled_first: bool
) -> None:
    # Given a group whose only other member has come to the end of its run before anyone knew that it was the last
    broker.add_middleware(Idempotency())
    callback = Message[Any]("default", "done", (), {}, {}, "callback")
    options = {"group_completion_uuid": "g", "group_completion_callbacks": [callback.asdict()]}
    broker.enqueue(message(7, idempotency_key="k"))
    worker, _ = members(broker, 2)
    assert not arrive(broker, "m0")
    if settled_first:
        settle(worker, "m0")
    # When the other message is a duplicate
    duplicate = message(7, idempotency_key="k", **options)
    assert broker.enqueue(duplicate.copy(message_id="m8")).message_id == "m7"
    # Then the callback comes with the end of the group
    assert (broker.get("callback") is None) is not settled_first
    if not settled_first:
        settle(worker, "m0")
    assert present(broker.get("callback")).state == "pending"
    assert broker.audit().clean, str(broker.audit())


def test_a_member_that_is_settled_twice_counts_once(broker: FairBroker) -> None:
    for number in range(2):
        broker.enqueue(Message(queue_name="default", actor_name="act", args=(number,), kwargs={}, options={}))
    broker.scripts.call("group", "g", 2, 60_000)
    callback = [1, "callback", "default", "acme", "done", 5, 0, "", ""]
    worker = ScriptedWorker(broker)
    first, second = [row[0] for row in worker.fetch(2)]
    worker.settle(first, "completed", ["", "", 0], group=["g", 60_000, [callback]])
    # The same member again, as after a settle that the dead worker had not sent.
    broker.client.hset(broker.keys.prefix + ":group:g", first, 1)
    assert broker.get("callback") is None
    worker.settle(second, "completed", ["", "", 0], group=["g", 60_000, [callback]])
    assert present(broker.get("callback")).state == "pending"
