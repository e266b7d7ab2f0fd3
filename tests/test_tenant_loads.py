"""Who waits and who runs."""

from __future__ import annotations

from typing import Any

from dramatiq import Message
from scripted_worker import ScriptedWorker

from jobfleet.broker import SYSTEM, FairBroker
from jobfleet.broker.limits import Limits
from jobfleet.middleware.tenant_limits import TenantLimits


def send(broker: FairBroker, tenant: str, jobs: int, queue: str = "default", **options: Any) -> None:
    kwargs = {} if tenant == SYSTEM else {"tenant_id": tenant}
    broker.enqueue_many([Message[Any](queue, "act", (), kwargs, dict(options)) for _ in range(jobs)])


def test_the_tenants_with_the_most_jobs_are_shown_most_waiting_first(broker: FairBroker) -> None:
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
    loads = {load.tenant_id: load for load in broker.tenant_loads()}

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
    assert [load.tenant_id for load in broker.tenant_loads(1)] == ["small"]
    assert broker.audit().clean


def test_the_oldest_wait_is_that_of_the_oldest_of_any_priority(broker: FairBroker) -> None:
    # Given a job that has waited for a minute behind one of a higher priority that has just come
    send(broker, "a", 1, priority=9)
    last = int(broker.client.hget(broker.keys.prefix + ":fleet", "last") or 0)
    broker.client.hset(broker.keys.prefix + ":fleet", "last", last + 60_000)
    send(broker, "a", 1, priority=1)
    # Then that minute is told
    (load,) = broker.tenant_loads()
    assert load.oldest_wait_seconds >= 60
    assert (load.plan, load.running, load.share) == ("", 0, 0.0)
