"""A job that may be what kills its workers runs alone, and is found out."""

from __future__ import annotations

from typing import Any

import pytest
from dramatiq import Message
from model_fleet import Clock
from scripted_worker import ScriptedWorker
from wait import present
from wide_limits import wide

from jobfleet.broker import FairBroker
from jobfleet.broker.limits import Limits

ONE_AT_ONCE = Limits(plan="one", concurrency=1, per_minute=1_000, weight=1, max_backlog=1_000)


def send(broker: FairBroker, jobs: int, *, actor: str = "act", tenant: str | None = None) -> list[str]:
    options = {"tenant_id": tenant} if tenant else {}
    messages = [Message[Any]("default", actor, (n,), {}, options) for n in range(jobs)]
    broker.enqueue_many(messages)
    return [message.message_id for message in messages]


def lose(broker: FairBroker, worker: ScriptedWorker) -> None:
    """The worker's process is known to be dead."""
    assert broker.scripts.call("bury_worker", worker.worker) == 1


def test_a_job_that_lost_two_workers_runs_alone_and_its_third_loss_is_its_end(broker: FairBroker) -> None:
    killer, *others = send(broker, 4)
    for _ in range(2):
        worker = ScriptedWorker(broker)
        assert worker.fetch(1)[0][0] == killer
        lose(broker, worker)
    assert present(broker.get(killer)).state == "pending"
    assert broker.audit().clean, str(broker.audit())

    worker = ScriptedWorker(broker)
    assert [row[0] for row in worker.fetch(4)] == [killer]
    assert worker.status == "alone"
    lose(broker, worker)
    (letter,) = broker.dead_letters.list()
    assert (letter.job_id, letter.reason) == (killer, "worker_lost")
    assert broker.stats(["default"])[0].waiting == 3
    assert [row[0] for row in ScriptedWorker(broker).fetch(4)] == others
    assert broker.audit().clean, str(broker.audit())


def test_neighbours_of_a_killer_are_suspects_too_and_are_cleared_one_by_one(broker: FairBroker) -> None:
    ids = send(broker, 10)
    killer = ids[3]
    for _ in range(2):
        worker = ScriptedWorker(broker)
        assert len(worker.fetch(10)) == 10
        lose(broker, worker)
    for _ in range(10):
        worker = ScriptedWorker(broker)
        ((job_id, *_),) = worker.fetch(10)
        assert worker.status == "alone"
        if job_id == killer:
            lose(broker, worker)
        else:
            worker.complete(job_id)
    (stats,) = broker.stats(["default"])
    assert (stats.completed, stats.failed, stats.total) == (9, 1, 0)
    assert [letter.job_id for letter in broker.dead_letters.list()] == [killer]
    assert broker.audit().clean, str(broker.audit())


def test_a_busy_worker_empties_itself_for_a_suspect_and_only_one_does(broker: FairBroker) -> None:
    (suspect,) = send(broker, 1)
    for _ in range(2):
        worker = ScriptedWorker(broker)
        worker.fetch(1)
        lose(broker, worker)
    busy, other = ScriptedWorker(broker), ScriptedWorker(broker)
    broker.client.zrem(broker.keys.prefix + ":suspects:default", suspect)
    ids = send(broker, 6)
    assert len(busy.fetch(2)) == len(other.fetch(2)) == 2
    broker.client.zadd(broker.keys.prefix + ":suspects:default", {suspect: 1})

    assert busy.fetch(2) == []
    assert busy.status == "drain"
    assert len(other.fetch(1)) == 1, "the others go on meanwhile"
    for job_id in ids[:2]:
        busy.complete(job_id)
    assert [row[0] for row in busy.fetch(2)] == [suspect]
    assert busy.status == "alone"
    busy.complete(suspect)
    assert len(busy.fetch(2)) == 1
    assert broker.audit().clean, str(broker.audit())


def test_a_suspect_can_be_cancelled_and_purged(broker: FairBroker) -> None:
    ids = send(broker, 2)
    for _ in range(2):
        worker = ScriptedWorker(broker)
        worker.fetch(2)
        lose(broker, worker)
    assert broker.cancel(ids[0]) == "cancelled"
    broker.flush("default")
    assert broker.stats(["default"])[0].total == 0
    assert ScriptedWorker(broker).fetch(2) == []
    assert broker.audit().clean, str(broker.audit())


@pytest.mark.parametrize("kind", ["released", "completed"])
def test_what_ends_well_is_no_suspect_any_more(broker: FairBroker, kind: str) -> None:
    (job_id,) = send(broker, 1)
    for _ in range(2):
        worker = ScriptedWorker(broker)
        worker.fetch(1)
        lose(broker, worker)
    worker = ScriptedWorker(broker)
    worker.fetch(1)
    if kind == "released":
        worker.settle(job_id, "released", ["shutdown"])
        assert worker.fetch(1)[0][0] == job_id, "given back in good order, it is still a suspect and runs alone"
        assert worker.status == "alone"
    worker.retry(job_id, 0)
    assert worker.fetch(1)[0][0] == job_id
    assert worker.status == "ok", "a run that came to its end clears it"


def test_suspects_that_may_not_start_hide_none_that_may(broker: FairBroker) -> None:
    # Given many suspects whose tenant has no free slot, more whose actor is paused, and one behind them all
    broker.limits.publish({"free": wide()}, {}, version=1)
    (running,) = send(broker, 1, tenant="full")
    busy = ScriptedWorker(broker)
    assert len(busy.fetch()) == 1
    full, stopped = send(broker, 12, tenant="full"), send(broker, 60, actor="stop")
    (behind,) = send(broker, 1)
    for _ in range(2):
        lost = ScriptedWorker(broker)
        assert len(lost.fetch(100)) == 73
        lose(broker, lost)
    broker.pause_actor("stop")
    broker.limits.publish({}, {"full": ONE_AT_ONCE}, version=2)

    # When an empty worker looks
    worker = ScriptedWorker(broker)
    found = worker.fetch(5)
    if not found:
        assert worker.last_next_ms == 1, "what one run cannot put aside the next one does, at once"
        found = worker.fetch(5)

    # Then it gets that one; what may not start costs nobody anything
    assert ([row[0] for row in found], worker.status) == ([behind], "alone")
    worker.complete(behind)
    assert worker.fetch(5) == []
    assert broker.client.zcard(broker.keys.suspects("default")) == 0
    assert broker.client.llen(broker.keys.wake("default")) == 0
    assert broker.stats(["default"])[0].waiting == 72
    assert broker.audit().clean, str(broker.audit())

    # And when they may start, each runs, alone, in its order
    busy.complete(running)
    broker.resume_actor("stop")
    assert broker.audit().clean, str(broker.audit())
    ran = []
    while rows := worker.fetch(5):
        assert (len(rows), worker.status) == (1, "alone")
        ran.append(rows[0][0])
        worker.complete(rows[0][0])
    assert [job_id for job_id in ran if job_id in full] == full
    assert [job_id for job_id in ran if job_id in stopped] == stopped
    assert broker.stats(["default"])[0].total == 0
    assert broker.audit().clean, str(broker.audit())


def test_a_suspect_whose_tenant_was_full_does_not_run_beside_others(broker: FairBroker) -> None:
    # Given a suspect in the line of its parked tenant, and a worker that runs the tenant's only slot and another job
    broker.limits.publish({"free": wide()}, {}, version=1)
    (suspect,) = send(broker, 1, tenant="full")
    for _ in range(2):
        lost = ScriptedWorker(broker)
        lost.fetch()
        lose(broker, lost)
    broker.client.zrem(broker.keys.suspects("default"), suspect)
    first, other = send(broker, 1, tenant="full")[0], send(broker, 1)[0]
    busy = ScriptedWorker(broker)
    assert len(busy.fetch(2)) == 2
    broker.client.zadd(broker.keys.suspects("default"), {suspect: 1})
    broker.limits.publish({}, {"full": ONE_AT_ONCE}, version=2)
    assert busy.fetch(2) == []
    assert busy.status == "ok", "nothing is to be gained by becoming empty"
    # When the slot is free
    busy.complete(first)
    assert busy.fetch(2) == []
    # Then the worker becomes empty for it first
    assert busy.fetch(2) == []
    assert busy.status == "drain"
    busy.complete(other)
    assert ([row[0] for row in busy.fetch(2)], busy.status) == ([suspect], "alone")
    busy.complete(suspect)


def test_a_suspect_that_comes_from_its_line_costs_its_tenant_what_any_start_does(broker: FairBroker) -> None:
    # Given a suspect of a known length that stands in its tenant's line
    broker.limits.publish({"free": wide()}, {}, version=1)
    (known,) = send(broker, 1, tenant="one")
    first = ScriptedWorker(broker)
    first.fetch()
    first.settle(known, "completed", ["", "", 0], ran_ms=5_000)
    (suspect,) = send(broker, 1, tenant="one")
    for _ in range(2):
        lost = ScriptedWorker(broker)
        lost.fetch()
        lose(broker, lost)
    broker.client.zrem(broker.keys.suspects("default"), suspect)
    (running,) = send(broker, 1, tenant="one")
    first.fetch()
    broker.client.zadd(broker.keys.suspects("default"), {suspect: 1})
    broker.limits.publish({}, {"one": ONE_AT_ONCE}, version=2)
    worker = ScriptedWorker(broker)
    assert worker.fetch() == []
    first.settle(running, "completed", ["", "", 0], ran_ms=5_000)
    assert broker.client.zcard(broker.keys.line("default", "one")) == 1
    before = tag(broker, "one")
    # When it starts, and its run is given back
    assert ([row[0] for row in worker.fetch()], worker.status) == ([suspect], "alone")
    assert tag(broker, "one") == before + 5_000
    worker.settle(suspect, "released", ["shutdown"])
    # Then its tenant has no credit for what it never paid
    assert tag(broker, "one") == before


def tag(broker: FairBroker, tenant: str) -> float:
    """Where a tenant stands in the fair order."""
    prefix = broker.keys.prefix
    found = [broker.client.zscore(f"{prefix}:{where}:default", tenant) for where in ("ring", "tags")]
    return next(score for score in found if score is not None)


def test_suspects_start_no_faster_than_their_queues_rate(broker: FairBroker) -> None:
    clock = Clock(broker.client, broker.keys.prefix, 600_000)
    ids = send(broker, 2)
    for _ in range(2):
        worker = ScriptedWorker(broker, lease_ms=600_000)
        worker.fetch(2)
        lose(broker, worker)
    send(broker, 1)
    worker = ScriptedWorker(broker, lease_ms=600_000)
    assert [row[0] for row in worker.fetch(2, rate=1)] == ids[:1]
    worker.complete(ids[0])
    assert worker.fetch(2, rate=1) == []
    assert worker.last_next_ms == 1_001
    clock.advance(1_001)
    assert [row[0] for row in worker.fetch(2, rate=1)] == ids[1:]
    worker.complete(ids[1])
    assert worker.fetch(2, rate=1) == [], "it counts for those that are none"
    clock.advance(1_001)
    assert len(worker.fetch(2, rate=1)) == 1
