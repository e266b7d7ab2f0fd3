"""Limits of tenants: exact, refused or held, and counted by lease."""

from __future__ import annotations

import time
from typing import Any

import pytest
from dramatiq import Message
from scripted_worker import ScriptedWorker
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.broker.errors import BacklogFull, InvalidPayload, TenantLimitExceeded
from jobfleet.broker.limits import Limits
from jobfleet.middleware.tenant_limits import TenantLimits

FREE = Limits(plan="free", concurrency=2, per_minute=10, weight=1, max_backlog=1_000)
WIDE = Limits(plan="wide", concurrency=100, per_minute=100_000, weight=1, max_backlog=1_000_000)


@pytest.fixture
def limited(broker: FairBroker) -> FairBroker:
    """A broker in whose namespace tenants are free and the tenant wide is not."""
    broker.add_middleware(TenantLimits())
    broker.limits.publish({"free": FREE}, {"wide": WIDE}, version=1)
    return broker


def job(tenant: str, queue: str = "default", **options: Any) -> Message[Any]:
    return Message(queue_name=queue, actor_name="act", args=(), kwargs={"tenant_id": tenant}, options=options)


def send(broker: FairBroker, tenant: str, jobs: int, queue: str = "default", **options: Any) -> list[Any]:
    return broker.enqueue_many([job(tenant, queue, **options) for _ in range(jobs)])


def refused(outcomes: list[Any]) -> list[Exception]:
    return [outcome for outcome in outcomes if isinstance(outcome, Exception)]


def clean(broker: FairBroker) -> None:
    report = broker.audit()
    assert report.clean, str(report)


def test_beyond_the_rate_a_send_is_refused_and_leaves_no_trace(limited: FairBroker) -> None:
    send(limited, "small", 10)
    with pytest.raises(TenantLimitExceeded, match="Rate limit exceeded: 10 jobs/minute") as refusal:
        limited.enqueue(job("small"))
    assert 0 < refusal.value.retry_after <= 60.001
    assert limited.stats(["default"])[0].waiting == 10
    assert limited.client.hlen(limited.keys.jobs) == 10
    clean(limited)


def test_a_bulk_send_says_for_each_job_what_became_of_it(limited: FairBroker) -> None:
    outcomes = send(limited, "small", 15)
    assert [isinstance(outcome, TenantLimitExceeded) for outcome in outcomes] == [False] * 10 + [True] * 5
    assert not refused(send(limited, "other", 3)), "one tenant's limit is not another's"


def test_with_delay_jobs_are_held_and_let_in_by_a_wider_plan(limited: FairBroker) -> None:
    assert not refused(send(limited, "small", 25, on_limit="delay"))
    stats = limited.stats(["default"])[0]
    assert (stats.waiting, stats.delayed) == (10, 15)
    clean(limited)
    worker = ScriptedWorker(limited)
    taken = worker.fetch(50)
    assert len(taken) == 2 and worker.last_next_ms <= 60_001, "it looks again when the gate opens"
    # When the tenant gets a better plan
    limited.limits.publish({}, {"small": WIDE}, version=2)
    # Then what was held comes in, in the order in which it was sent
    assert limited.stats(["default"])[0].delayed == 0
    assert len(worker.fetch(50)) == 23
    clean(limited)


def test_what_is_held_goes_before_what_is_sent_later(limited: FairBroker) -> None:
    send(limited, "small", 11, on_limit="delay")
    with pytest.raises(TenantLimitExceeded):
        limited.enqueue(job("small"))


def test_the_concurrency_holds_over_queues_and_workers(limited: FairBroker) -> None:
    send(limited, "small", 5, "a")
    send(limited, "small", 5, "b")
    send(limited, "wide", 5, "a")
    one, two = ScriptedWorker(limited, queues=("a", "b")), ScriptedWorker(limited, queues=("a", "b"))
    first = one.fetch(1, queue="a") + two.fetch(1, queue="b")
    assert [row[2] for row in first].count("small") + len([r for r in first if r[2] == "wide"]) == 2
    rest = one.fetch(20, queue="a") + two.fetch(20, queue="b")
    running = [row for row in first + rest if row[2] == "small"]
    assert len(running) == 2
    assert len([row for row in first + rest if row[2] == "wide"]) == 5
    assert sum(stats.parked for stats in limited.stats(["a", "b"])) == 8
    clean(limited)
    # A settle frees a slot, and the tenant is back in its queues
    job_id = running[0][0]
    (one if job_id in one.held else two).complete(job_id)
    assert sum(stats.parked for stats in limited.stats(["a", "b"])) == 0
    assert len(one.fetch(20, queue="a") + two.fetch(20, queue="b")) == 1
    clean(limited)


def test_a_paused_tenant_starts_nothing_until_it_is_resumed(limited: FairBroker) -> None:
    send(limited, "wide", 3)
    paused = Limits(plan="wide", concurrency=100, per_minute=9, weight=1, max_backlog=9, paused=True)
    limited.limits.publish({}, {"wide": paused}, version=2)
    worker = ScriptedWorker(limited)
    assert worker.fetch(10) == []
    limited.limits.publish({}, {"wide": WIDE}, version=3)
    assert len(worker.fetch(10)) == 3
    clean(limited)


def test_an_older_version_changes_nothing(limited: FairBroker) -> None:
    assert limited.limits.publish({}, {"wide": WIDE}, version=7)
    assert not limited.limits.publish({}, {"wide": FREE}, version=6)
    assert not refused(send(limited, "wide", 20))


def test_a_tenant_that_is_no_longer_named_is_free(limited: FairBroker) -> None:
    assert limited.limits.publish({"free": FREE}, {}, version=2, whole=True)
    assert len(refused(send(limited, "wide", 20))) == 10


def test_the_backlog_is_limited_but_not_for_what_was_promised(limited: FairBroker) -> None:
    narrow = Limits(plan="free", concurrency=2, per_minute=1_000, weight=1, max_backlog=5)
    limited.limits.publish({}, {"small": narrow}, version=2)
    outcomes = send(limited, "small", 7)
    assert [type(outcome) for outcome in refused(outcomes)] == [BacklogFull] * 2
    assert "5 unfinished jobs" in str(outcomes[-1])
    assert not refused(send(limited, "small", 3, on_limit="delay", promised=True))
    worker = ScriptedWorker(limited)
    for _ in range(4):
        worker.complete(worker.fetch(1)[0][0])
    assert not refused(send(limited, "small", 1)), "jobs that are over make room"
    clean(limited)


def test_a_lost_worker_frees_its_tenants_slots(limited: FairBroker) -> None:
    send(limited, "small", 4)
    lost = ScriptedWorker(limited, lease_ms=300)
    assert len(lost.fetch(4)) == 2
    other = ScriptedWorker(limited, lease_ms=300)
    eventually(lambda: (other.beat() and len(other.held) == 2) or bool(other.fetch(4)))
    clean(limited)


def test_a_cancel_of_a_held_job_gives_its_moment_back(limited: FairBroker) -> None:
    outcomes = send(limited, "small", 12, on_limit="delay")
    assert limited.cancel(outcomes[10].message_id) == "cancelled"
    assert limited.cancel(outcomes[11].message_id) == "cancelled"
    assert limited.client.zscore(limited.keys.gates, "small") is None
    clean(limited)


def test_what_nobody_limits_is_not_limited(broker: FairBroker) -> None:
    broker.add_middleware(TenantLimits())
    assert not refused(send(broker, "small", 200)), "no plans are published"


def test_the_system_has_no_limits(limited: FairBroker) -> None:
    messages = [Message[Any]("default", "act", (), {}, {}) for _ in range(50)]
    assert not refused(limited.enqueue_many(messages))
    assert len(ScriptedWorker(limited).fetch(50)) == 50


def test_the_option_is_checked(limited: FairBroker) -> None:
    with pytest.raises(InvalidPayload, match=r"on_limit is 'later'; it must be one of reject, delay"):
        limited.enqueue(job("small", on_limit="later"))


def test_admissions_and_refusals_are_counted_by_plan(limited: FairBroker) -> None:
    send(limited, "small", 12)
    metrics = limited.client.hgetall(limited.keys.metrics)
    assert metrics[b"tenant_admitted\tfree\tdefault"] == b"10"
    assert metrics[b"tenant_refused\tfree\tdefault\trate"] == b"2"


def test_a_tenants_own_limit_is_not_the_fleets_failure(limited: FairBroker) -> None:
    """Waiting is judged from when the tenant had a free slot again."""
    one = Limits(plan="one", concurrency=1, per_minute=100, weight=1, max_backlog=100)
    limited.limits.publish({}, {"small": one}, version=2)
    send(limited, "small", 3)
    worker = ScriptedWorker(limited)
    # Given a tenant that waits for its only slot for a second
    (first,) = worker.fetch(5)
    since = time.monotonic()
    eventually(lambda: time.monotonic() - since > 1)
    # When it is free again
    worker.complete(first[0])
    assert len(worker.fetch(5)) == 1
    # Then nothing says that the fleet let a job wait for a second
    metrics = limited.commands.hgetall(limited.keys.metrics)
    waits = {
        int(field.split(b"\t")[2])
        for field in metrics
        if field.startswith(b"job_wait\tdefault") and b"sum" not in field
    }
    assert max(waits) <= 500
