"""What was promised already is not half dropped: neither a rate nor a backlog refuses a fan-out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq import Message
from own_fleet import own_fleet
from scripted_worker import ScriptedWorker
from subscriptions import subscribe

from jobfleet.actors import send_bulk_emails, trigger_webhooks_for_event
from jobfleet.broker import FairBroker
from jobfleet.broker.errors import BacklogFull, TenantLimitExceeded
from jobfleet.broker.limits import Limits

JOBS = 7
#: Fewer than these jobs are allowed in a minute, or unfinished.
NARROW = {
    "rate": Limits(plan="free", concurrency=2, per_minute=3, weight=1, max_backlog=1_000),
    "backlog": Limits(plan="free", concurrency=2, per_minute=1_000, weight=1, max_backlog=3),
}
EMAIL = {"subject": "News", "body": "None"}


@pytest.fixture(autouse=True)
def fleet(monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, namespace: str) -> Iterator[FairBroker]:
    """The actors of this process, on this test's own servers."""
    with own_fleet(monkeypatch, DATABASE_URL=database_url, REDIS_URL=redis_url, JOBFLEET_NAMESPACE=namespace) as broker:
        yield broker


def bulk_mail(broker: FairBroker) -> None:
    recipients = [f"user-{number}@example.com" for number in range(JOBS)]
    assert send_bulk_emails(42, recipients, EMAIL) == {"count": JOBS}


def event(broker: FairBroker) -> None:
    for number in range(JOBS):
        subscribe(f"https://{number}.example/")
    assert trigger_webhooks_for_event(42, "order.paid", {"id": 7}) == {"webhooks": JOBS}


def messages() -> list[Message[Any]]:
    return [Message[Any]("report", "close", (), {"tenant_id": 42, "month": month}, {}) for month in range(JOBS)]


def own(broker: FairBroker) -> None:
    sent = messages()
    assert broker.enqueue_many(sent, promised=True) == sent


@pytest.mark.parametrize("limit", NARROW)
@pytest.mark.parametrize("fan_out", [bulk_mail, event, own])
def test_no_limit_refuses_a_fan_out(fleet: FairBroker, fan_out: Callable[[FairBroker], None], limit: str) -> None:
    # Given a tenant with a limit that its other sends meet
    fleet.limits.publish({"free": NARROW[limit]}, {}, version=1)

    # When more is promised than it allows
    fan_out(fleet)

    # Then all of it is there: held where the rate is used up
    stats = fleet.stats()
    assert sum(queue.waiting + queue.delayed for queue in stats) == JOBS
    held = sum(int(jobs) for jobs in fleet.client.hgetall(fleet.keys.held_jobs).values())
    assert held == (JOBS - 3 if limit == "rate" else 0)
    # And whatever is not promised is refused
    refusals = fleet.enqueue_many(messages())
    assert {type(refusal) for refusal in refusals} == {TenantLimitExceeded if limit == "rate" else BacklogFull}
    assert fleet.audit().clean


def test_held_fan_outs_run_once_the_rate_lets_them(fleet: FairBroker) -> None:
    fleet.limits.publish({"free": NARROW["rate"]}, {}, version=1)
    own(fleet)
    worker = ScriptedWorker(fleet, queues=("report",))

    fleet.limits.publish({}, {"42": Limits("wide", 100, 1_000, 1, 1_000)}, version=2)

    months = [
        dramatiq.Message.decode(worker.messages[row[0]]).kwargs["month"] for row in worker.fetch(99, queue="report")
    ]
    assert months == list(range(JOBS))
