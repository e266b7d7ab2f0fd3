"""Run now: what waits for its time waits no longer, unless a limit holds it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dramatiq import Message
from scripted_worker import ScriptedWorker
from wait import present

from jobfleet.broker import FairBroker
from jobfleet.broker.limits import Limits
from jobfleet.middleware.tenant_limits import TenantLimits

#: An hour, ms.
LATER = 3_600_000


@pytest.fixture(autouse=True)
def clean_audit(broker: FairBroker) -> Iterator[None]:
    yield
    assert broker.audit().clean, str(broker.audit())


def send(broker: FairBroker, *, delay: int | None = None, **options: Any) -> str:
    message = Message[Any]("default", "act", (), {"tenant_id": "a"}, options)
    return broker.enqueue(message, delay=delay).message_id


def fetched(worker: ScriptedWorker) -> list[str]:
    return [row[0] for row in worker.fetch(10)]


def test_a_delayed_job_and_one_that_backs_off_join_the_end_of_their_line(broker: FairBroker) -> None:
    # Given a job that waits, one with a delay and one that failed once
    backing_off = send(broker)
    worker = ScriptedWorker(broker)
    worker.fetch()
    worker.retry(backing_off, LATER)
    delayed, waiting = send(broker, delay=LATER), send(broker)
    # When both shall run now
    assert broker.run_now(delayed) == "ready"
    assert broker.run_now(backing_off) == "ready"
    # Then they do, after what waited before them, and have not waited for longer than that
    rows = worker.fetch(10)
    assert [row[0] for row in rows] == [waiting, delayed, backing_off]
    assert max(row[6] for row in rows) < 60_000
    assert [row[4] for row in rows] == [1, 1, 2], "the attempt that failed counts"


def test_an_idle_worker_wakes_for_it(broker: FairBroker) -> None:
    job_id = send(broker, delay=LATER)
    worker = ScriptedWorker(broker)
    assert fetched(worker) == []
    assert not broker.client.exists(broker.keys.wake("default"))
    broker.run_now(job_id)
    assert broker.client.llen(broker.keys.wake("default")) == 1
    assert fetched(worker) == [job_id]


def test_what_a_tenants_rate_holds_stays_held_without_its_own_delay(broker: FairBroker) -> None:
    broker.add_middleware(TenantLimits())
    narrow = Limits(plan="free", concurrency=9, per_minute=1, weight=1, max_backlog=99)
    broker.limits.publish({"free": narrow}, {}, version=1)
    first = send(broker)
    held = send(broker, delay=LATER, on_limit="delay")
    # When it shall run now, it stays where it is
    assert broker.run_now(held) == "held"
    assert present(broker.get(held)).state == "scheduled"
    # And comes with its tenant's rate, not later
    wide = Limits(plan="wide", concurrency=9, per_minute=99, weight=1, max_backlog=99)
    broker.limits.publish({}, {"a": wide}, version=2)
    assert fetched(ScriptedWorker(broker)) == [first, held]


def test_where_there_is_nothing_to_do_the_answer_says_why(broker: FairBroker) -> None:
    worker = ScriptedWorker(broker)
    dead, running = send(broker), send(broker)
    worker.fetch(2)
    worker.fail(dead)
    waiting = send(broker)
    answers = [broker.run_now(job_id) for job_id in (waiting, running, dead, "nobody")]
    assert answers == ["waiting", "active", "dead", "unknown"]
