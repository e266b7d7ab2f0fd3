"""Cancel by filter: what matches is over, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dramatiq import Message
from lossy_proxy import LossyProxy
from scripted_worker import ScriptedWorker
from wait import present

from jobfleet.broker import SYSTEM, FairBroker, scripts
from jobfleet.broker.cancel_filter import STATES
from jobfleet.broker.cancellation import SLICE
from jobfleet.broker.errors import JobfleetError
from jobfleet.broker.limits import Limits
from jobfleet.middleware.tenant_limits import TenantLimits

LIMITS = Limits(plan="free", concurrency=2, per_minute=4, weight=1, max_backlog=1_000)


@pytest.fixture(autouse=True)
def clean_audit(broker: FairBroker) -> Iterator[None]:
    yield
    assert broker.audit().clean, str(broker.audit())


def send(
    broker: FairBroker,
    tenant: str,
    jobs: int = 1,
    *,
    queue: str = "default",
    actor: str = "act",
    delay: int | None = None,
) -> list[str]:
    messages = [Message[Any](queue, actor, (), {"tenant_id": tenant}, {"on_limit": "delay"}) for _ in range(jobs)]
    broker.enqueue_many(messages, delay=delay)
    return [message.message_id for message in messages]


def states(broker: FairBroker, job_ids: list[str]) -> list[str]:
    return [state.state if (state := broker.get(job_id)) else "gone" for job_id in job_ids]


def test_each_filter_chooses_and_all_of_them_hold_together(broker: FairBroker) -> None:
    meant = send(broker, "a", 2, queue="email", actor="letter")
    others = [
        *send(broker, "b", queue="email", actor="letter"),
        *send(broker, "a", queue="export", actor="letter"),
        *send(broker, "a", queue="email", actor="card"),
    ]
    found = broker.cancel_matching(queue="email", tenant_id="a", actor="letter")
    assert (set(found.pending), found.scheduled, found.active) == (set(meant), (), ())
    assert states(broker, meant + others) == ["gone"] * 2 + ["pending"] * 3
    assert broker.cancel_matching(actor="letter").over == 2
    assert broker.cancel_matching(queue="email").pending == (others[2],)
    assert broker.stats(["email"])[0].total == broker.stats(["export"])[0].total == 0


@pytest.fixture
def places(broker: FairBroker) -> dict[str, str]:
    """A job of the tenant small in each place where one can be; its actor stop is paused."""
    broker.add_middleware(TenantLimits())
    wide = Limits(plan="wide", concurrency=50, per_minute=10_000, weight=1, max_backlog=1_000)
    broker.limits.publish({"free": LIMITS}, {"small": wide}, version=1)
    found = {"suspect": send(broker, "small")[0]}
    for _ in range(2):
        worker = ScriptedWorker(broker)
        assert worker.fetch(1)
        broker.scripts.call("bury_worker", worker.worker)
    broker.client.sadd(broker.keys.paused, "actor:stop")
    busy = ScriptedWorker(broker)
    (found["active"],) = send(broker, "small", queue="running")
    (found["halted"],) = send(broker, "small", queue="running", actor="stop")
    assert [row[0] for row in busy.fetch(5, queue="running")] == [found["active"]]
    (found["scheduled"],) = send(broker, "small", delay=60_000)
    (found["waiting"],) = send(broker, "small")
    broker.limits.publish({}, {"small": LIMITS}, version=2)
    found["held"] = send(broker, "small", 1)[0]
    return found


def test_every_place_is_looked_into(broker: FairBroker, places: dict[str, str]) -> None:
    assert broker.client.zcard(broker.keys.suspects("default")) == 1
    assert broker.client.zcard(broker.keys.halted("running")) == 1
    assert broker.client.zcard(broker.keys.held("small")) == 1
    before = states(broker, list(places.values()))
    # When somebody only asks
    asked = broker.cancel_matching(tenant_id="small", states=STATES, dry_run=True)
    # Then nothing changes
    assert states(broker, list(places.values())) == before
    assert asked.dry_run
    # When it is done
    done = broker.cancel_matching(tenant_id="small", states=STATES)
    # Then it is what was told
    assert (set(done.pending), set(done.scheduled), done.active) == (
        set(asked.pending),
        set(asked.scheduled),
        asked.active,
    )
    assert set(done.pending) == {places[name] for name in ("suspect", "halted", "waiting")}
    assert set(done.scheduled) == {places["scheduled"], places["held"]}
    assert done.active == (places["active"],)
    assert broker.client.hkeys(broker.keys.cancels) == [places["active"].encode()]
    assert broker.client.hget(broker.keys.backlog, "small") == b"1"


def test_parked_tenants_and_the_systems_own_jobs_are_met_too(broker: FairBroker) -> None:
    broker.limits.publish({"free": LIMITS}, {}, version=1)
    send(broker, "a", 4)
    broker.enqueue(Message[Any]("default", "act", (), {}, {}))
    worker = ScriptedWorker(broker)
    assert len(worker.fetch(2)) == 2
    assert len(worker.fetch(5)) == 1, "the tenant is at its limit and parked"
    broker.enqueue(Message[Any]("default", "act", (), {}, {}))
    assert broker.cancel_matching(queue="default").over == 3
    assert broker.stats(["default"])[0].waiting == broker.stats(["default"])[0].parked == 0
    assert broker.cancel_matching(tenant_id=SYSTEM, states=["active"]).count == 1


def test_running_jobs_are_left_alone_unless_they_are_asked_for(broker: FairBroker) -> None:
    (job_id,) = send(broker, "a")
    worker = ScriptedWorker(broker)
    worker.fetch()
    assert broker.cancel_matching(tenant_id="a").count == 0
    assert broker.cancel_matching(tenant_id="a", states="active").active == (job_id,)
    assert worker.beat() == [b"ok", job_id.encode()]


def test_more_jobs_than_one_slice(broker: FairBroker) -> None:
    send(broker, "a", 2 * SLICE + 5)
    kept = send(broker, "b", 3)
    assert broker.cancel_matching(tenant_id="a", dry_run=True).over == 2 * SLICE + 5
    assert broker.cancel_matching(tenant_id="a").over == 2 * SLICE + 5
    assert states(broker, kept) == ["pending"] * 3


def test_without_a_filter_or_with_a_wrong_state_nothing_is_done(broker: FairBroker) -> None:
    (job_id,) = send(broker, "a")
    with pytest.raises(JobfleetError, match="give a queue, a tenant or an actor"):
        broker.cancel_matching()
    with pytest.raises(JobfleetError, match="states are failed; allowed are pending, scheduled, active"):
        broker.cancel_matching(tenant_id="a", states=["pending", "failed"])
    assert states(broker, [job_id]) == ["pending"]


def test_a_slice_whose_reply_was_lost_is_told_as_it_was(
    broker: FairBroker, redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "PAUSE_SECONDS", 0.0)
    old, later = send(broker, "a"), []
    with LossyProxy(redis_url) as proxy:
        operator = FairBroker(url=proxy.url, namespace=namespace)
        walk = operator.cancel_matching(tenant_id="b")
        assert walk.count == 0
        proxy.lose(1.0, 1)
        found = operator.cancel_matching(tenant_id="a")
        later += send(broker, "a")
        operator.close()
    assert list(found.pending) == old
    assert present(broker.get(later[0])).state == "pending"
