"""Who waits and who runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dramatiq import Message
from scripted_worker import ScriptedWorker

from jobfleet.broker import SYSTEM, FairBroker
from jobfleet.broker.limits import Limits
from jobfleet.broker.load_order import LoadOrder
from jobfleet.broker.tenant_load import TenantLoad
from jobfleet.broker.tenant_loads import TENANTS_AT_ONCE
from jobfleet.middleware.tenant_limits import TenantLimits


def send(
    broker: FairBroker, tenant: str, jobs: int, queue: str = "default", *, delay: int | None = None, **options: Any
) -> None:
    kwargs = {} if tenant == SYSTEM else {"tenant_id": tenant}
    broker.enqueue_many([Message[Any](queue, "act", (), kwargs, dict(options)) for _ in range(jobs)], delay=delay)


def names(loads: list[TenantLoad]) -> list[str]:
    return [load.tenant_id for load in loads]


def pass_time(broker: FairBroker, ms: int) -> None:
    """The fleet's clock, which never runs back, goes on."""
    last = int(broker.client.hget(broker.keys.prefix + ":fleet", "last") or 0)
    broker.client.hset(broker.keys.prefix + ":fleet", "last", last + ms)


def test_who_has_waited_longest_for_the_fleet_is_shown_however_few_jobs_it_has(broker: FairBroker) -> None:
    # Given a tenant that is paused, one that has no free slot, and one of a single job, since an hour
    own = Limits(plan="own", concurrency=1, per_minute=99_000, weight=1, max_backlog=99_000)
    limits = dict.fromkeys(("parked", "starved"), own) | {"paused": replace(own, paused=True)}
    broker.limits.publish({"free": own}, limits, version=1)
    send(broker, "paused", 3)
    send(broker, "parked", 2)
    worker = ScriptedWorker(broker, lease_ms=7_200_000)
    assert [row[2] for row in worker.fetch(9)] == ["parked"]
    send(broker, "starved", 1)
    pass_time(broker, 3_600_000)
    # And more tenants with more jobs than one look shows or one script reads
    for number in range(TENANTS_AT_ONCE + 20):
        send(broker, f"large-{number}", 4)

    # When the first few are asked for, then it is the first of them
    first = broker.tenant_loads(3)
    assert names(first)[0] == "starved"
    assert first[0].oldest_wait_seconds >= 3_600
    # Behind those that wait for the fleet come those that wait for themselves
    assert names(broker.tenant_loads(500))[-2:] == ["parked", "paused"]
    # And each other order is to be had
    assert broker.tenant_loads(1, by=LoadOrder.WAITING)[0].waiting == 4
    assert names(broker.tenant_loads(1, by=LoadOrder.RUNNING)) == ["parked"]
    send(broker, "large-7", 1, delay=60_000)
    assert names(broker.tenant_loads(1, by=LoadOrder.UNFINISHED)) == ["large-7"]


def test_of_each_tenant_all_is_told_most_waiting_first(broker: FairBroker) -> None:
    # Given tenants of two plans with jobs in two queues, one of them at its limit, and the system's own
    broker.add_middleware(TenantLimits())
    free = Limits(plan="free", concurrency=2, per_minute=8, weight=1, max_backlog=99)
    pro = Limits(plan="pro", concurrency=5, per_minute=99, weight=4, max_backlog=99)
    broker.limits.publish({"free": free}, {"big": pro}, version=1)
    send(broker, "small", 5)
    send(broker, "small", 5, "other", on_limit="delay", priority=1)
    send(broker, "big", 4)
    send(broker, "big", 4, "other")
    send(broker, SYSTEM, 1, "other")
    worker = ScriptedWorker(broker)
    assert len(worker.fetch(4)) == 4
    assert len(worker.fetch(4)) == 2

    # When the load is asked for
    loads = {load.tenant_id: load for load in broker.tenant_loads(by=LoadOrder.WAITING)}

    # Then it is all there
    small, big = loads["small"], loads["big"]
    assert list(loads) == ["small", "big", SYSTEM]
    assert (small.plan, small.weight, small.concurrency, small.parked) == ("free", 1, 2, True)
    assert (small.waiting, small.running, small.held, small.unfinished) == (6, 2, 2, 10)
    assert (big.plan, big.weight, big.waiting, big.running, big.unfinished, big.parked) == ("pro", 4, 4, 4, 8, False)
    assert (small.share, big.share) == (2 / 6, 4 / 6)
    assert (loads[SYSTEM].waiting, loads[SYSTEM].concurrency) == (1, None)
    assert all(load.oldest_wait_seconds >= 0 for load in loads.values())

    # And it can be cut
    assert names(broker.tenant_loads(1, by=LoadOrder.WAITING)) == ["small"]
    assert names(broker.tenant_loads(1, by=LoadOrder.HELD)) == ["small"]
    assert broker.audit().clean


def test_the_oldest_wait_is_that_of_the_oldest_of_any_priority(broker: FairBroker) -> None:
    # Given a job that has waited for a minute behind one of a higher priority that has just come
    send(broker, "a", 1, priority=9)
    pass_time(broker, 60_000)
    send(broker, "a", 1, priority=1)
    # Then that minute is told
    (load,) = broker.tenant_loads()
    assert load.oldest_wait_seconds >= 60
    assert (load.plan, load.running, load.share) == ("", 0, 0.0)
