"""What is held comes in as soon as the rate lets it, however much it is."""

from __future__ import annotations

from typing import Any

import pytest
from dramatiq import Message
from scripted_worker import ScriptedWorker

from jobfleet.broker import FairBroker
from jobfleet.broker.limits import Limits
from jobfleet.middleware.tenant_limits import TenantLimits

FREE = Limits(plan="free", concurrency=2, per_minute=10, weight=1, max_backlog=1_000)
WIDE = Limits(plan="wide", concurrency=1_000, per_minute=100_000, weight=1, max_backlog=1_000_000)


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
