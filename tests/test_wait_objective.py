"""The wait that the fleet answers for: not that for which an operator had paused a queue or an actor."""

from __future__ import annotations

from typing import Any

import pytest
from dramatiq import Message
from model_fleet import Clock
from scripted_worker import ScriptedWorker
from wide_limits import wide

from jobfleet.broker import FairBroker
from jobfleet.broker.scripts import pack, unpack

#: Milliseconds within which a scripted worker's jobs should start.
OBJECTIVE = 30_000
DAY = 86_400_000


@pytest.fixture
def clock(broker: FairBroker) -> Clock:
    return Clock(broker.client, broker.keys.prefix, 60_000)


def send(broker: FairBroker) -> str:
    return broker.enqueue(Message("default", "act", (), {"tenant_id": "a"}, {})).message_id


def pause(broker: FairBroker, what: str) -> None:
    broker.pause("default") if what == "queue" else broker.pause_actor("act")


def resume(broker: FairBroker, what: str) -> None:
    broker.resume("default") if what == "queue" else broker.resume_actor("act")


def counted(broker: FairBroker) -> tuple[int, int]:
    """Starts, and those of them that came too late."""
    names = ("wait_slo_starts\tdefault", "wait_slo_violations\tdefault")
    starts, late = broker.commands.hmget(broker.keys.metrics, names)
    return int(starts or 0), int(late or 0)


def oldest_wait_since(broker: FairBroker) -> int:
    *_, row = unpack(broker.scripts.call("gauges", pack([["default", 0, []]])))
    return int(row[8])


@pytest.mark.parametrize("limited", [False, True])
@pytest.mark.parametrize("what", ["queue", "actor"])
def test_what_was_paused_counts_from_when_it_went_on(
    broker: FairBroker, clock: Clock, what: str, limited: bool
) -> None:
    # Given a job that waits while its queue or its actor is paused
    if limited:
        broker.limits.publish({"free": wide()}, {}, version=1)
    send(broker)
    pause(broker, what)
    clock.advance(2 * OBJECTIVE)
    assert ScriptedWorker(broker).fetch() == []

    # When it is resumed, and a worker is there in time
    resume(broker, what)
    resumed = clock.now
    clock.advance(OBJECTIVE)
    if limited or what == "queue":
        assert oldest_wait_since(broker) == resumed
    ((_, _, _, _, _, _, waited),) = ScriptedWorker(broker).fetch()

    # Then nobody was late; what the job itself waited is told as it was
    assert counted(broker) == (1, 0)
    assert broker.client.hget(broker.keys.metrics, "job_wait\tdefault\tsum") == str(OBJECTIVE).encode()
    assert waited == 3 * OBJECTIVE

    # And one that waits too long since then is late
    send(broker)
    clock.advance(OBJECTIVE + 1)
    assert len(ScriptedWorker(broker).fetch()) == 1
    assert counted(broker) == (2, 1)


@pytest.mark.parametrize("what", ["queue", "actor"])
def test_a_resume_of_what_was_not_paused_excuses_nothing(broker: FairBroker, clock: Clock, what: str) -> None:
    send(broker)
    clock.advance(OBJECTIVE + 1)
    resume(broker, what)
    assert len(ScriptedWorker(broker).fetch()) == 1
    assert counted(broker) == (1, 1)


def test_a_resume_that_comes_again_changes_nothing(broker: FairBroker, clock: Clock) -> None:
    # Given a queue that was resumed, and paused again before the call was repeated
    broker.pause("default")
    assert broker.scripts.call("resume_queue", "request", "default") == 1
    resumed = broker.client.hgetall(broker.keys.resumed)
    broker.pause("default")
    clock.advance(1_000)
    # When the repeat arrives
    assert broker.scripts.call("resume_queue", "request", "default") == 1
    # Then the queue is paused, and went on when it did
    assert broker.paused() == ["queue:default"]
    assert broker.client.hgetall(broker.keys.resumed) == resumed


def test_moments_of_long_ago_are_forgotten(broker: FairBroker, clock: Clock) -> None:
    for queue in ("a", "b"):
        broker.pause(queue)
        broker.resume(queue)
        clock.advance(DAY + 1)
    assert list(broker.client.hgetall(broker.keys.resumed)) == [b"queue:b"]


def test_the_audit_is_clean_behind_pauses(broker: FairBroker, clock: Clock) -> None:
    message: Message[Any] = Message("default", "act", (), {}, {})
    broker.enqueue(message)
    for what in ("queue", "actor"):
        pause(broker, what)
        clock.advance(1_000)
        resume(broker, what)
    assert broker.audit().clean, str(broker.audit())
