"""What is held comes in as soon as the rate lets it, however much it is; who is parked wakes, whatever waits."""

from __future__ import annotations

from typing import Any

import dramatiq
import pytest
from dramatiq import Message
from scripted_worker import ScriptedWorker
from wait import eventually, present
from worker_threads import StartWorker

from jobfleet.broker import FairBroker
from jobfleet.broker.limits import Limits
from jobfleet.middleware.tenant_limits import TenantLimits

FREE = Limits(plan="free", concurrency=2, per_minute=10, weight=1, max_backlog=1_000)
WIDE = Limits(plan="wide", concurrency=1_000, per_minute=100_000, weight=1, max_backlog=1_000_000)


def rated(per_minute: int) -> Limits:
    return Limits(plan="free", concurrency=2, per_minute=per_minute, weight=1, max_backlog=1_000)


def job(**options: Any) -> Message[Any]:
    return Message(queue_name="default", actor_name="act", args=(), kwargs={"tenant_id": "small"}, options=options)


@pytest.mark.parametrize("held", [49, 50, 51, 260])
def test_a_wider_plan_lets_in_all_that_is_held_and_what_is_sent_then(broker: FairBroker, held: int) -> None:
    broker.add_middleware(TenantLimits())
    broker.limits.publish({"free": FREE}, {}, version=1)
    sent = [job(on_limit="delay") for _ in range(10 + held)]
    assert broker.enqueue_many(sent) == sent
    assert broker.stats(["default"])[0].delayed == held

    # One script run lets in a part of it
    broker.limits.publish({}, {"small": WIDE}, version=2)
    worker, got = ScriptedWorker(broker), list[str]()
    while rows := worker.fetch(100):
        got += [row[0] for row in rows]

    assert got == [message.message_id for message in sent], "all of it, in its order, and at once"
    broker.enqueue(job())
    report = broker.audit()
    assert report.clean, str(report)


@pytest.mark.parametrize("wake", ["settle", "other limits"])
def test_a_parked_tenant_wakes_also_when_nothing_of_it_waits_any_more(broker: FairBroker, wake: str) -> None:
    broker.limits.publish({"free": FREE}, {}, version=1)
    sent = [job() for _ in range(3)]
    broker.enqueue_many(sent)
    worker = ScriptedWorker(broker)
    assert len(worker.fetch(3)) == 2
    assert broker.stats(["default"])[0].parked == 1
    assert broker.cancel(sent[2].message_id) == "cancelled"

    if wake == "settle":
        assert worker.complete(sent[0].message_id) == 0
    else:
        broker.limits.publish({}, {"small": WIDE}, version=2)

    later = broker.enqueue(job())
    assert [row[0] for row in worker.fetch(3)] == [later.message_id]
    report = broker.audit()
    assert report.clean, str(report)


@pytest.mark.parametrize("upkeep", [False, True])
def test_a_gate_that_moves_to_an_earlier_moment_opens_then(
    broker: FairBroker, start_worker: StartWorker, upkeep: bool
) -> None:
    # Given a tenant whose plan was made smaller, a job of it that is held for most of a minute by that, and a worker
    # that sleeps until then; nobody else looks, unless a monitor does
    broker.add_middleware(TenantLimits())
    broker.limits.publish({"free": rated(20)}, {}, version=1)
    ran: list[str] = []

    @dramatiq.actor(broker=broker)
    def note(*, tenant_id: str) -> None:
        ran.append(tenant_id)

    now = int(broker.client.time()[0]) * 1_000
    admitted = [now - 58_500] * 10 + [now] * 10
    broker.client.rpush(f"{broker.keys.prefix}:times:small", *admitted)
    broker.limits.publish({"free": rated(5)}, {}, version=2)
    start_worker()
    note.send_with_options(kwargs={"tenant_id": "small"}, on_limit="delay")
    gate = present(broker.client.zscore(broker.keys.gates, "small"))
    eventually(lambda: not broker.client.exists(broker.keys.wake("default")))

    # When the plan grows: the older half of what was admitted decides, which is a second from a minute ago
    broker.limits.publish({"free": rated(15)}, {}, version=3)
    assert present(broker.client.zscore(broker.keys.gates, "small")) < gate

    # Then the job runs long before its old moment
    def has_run() -> bool:
        if upkeep:
            broker.upkeep()
        return ran == ["small"]

    eventually(has_run, timeout=30)
