"""A cancel of a running job holds, whatever cuts its run short."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dramatiq import Message
from scripted_worker import ScriptedWorker

from jobfleet.broker import FairBroker

CutShort = Callable[[FairBroker, ScriptedWorker, str], object]

CUT_SHORT: dict[str, CutShort] = {
    "retry": lambda broker, worker, job_id: worker.retry(job_id, 0),
    "retry later": lambda broker, worker, job_id: worker.retry(job_id, 5_000),
    "postponed": lambda broker, worker, job_id: worker.settle(job_id, "postponed", [1, 5_000, "Unavailable: away"]),
    "released": lambda broker, worker, job_id: worker.settle(job_id, "released", ["shutdown"]),
    "not named": lambda broker, worker, job_id: worker.beat(names={}),
    "left": lambda broker, worker, job_id: broker.scripts.call("leave", worker.worker),
    "lost": lambda broker, worker, job_id: broker.scripts.call("bury_worker", worker.worker),
}


@pytest.fixture(autouse=True)
def clean_audit(broker: FairBroker) -> Iterator[None]:
    yield
    assert broker.audit().clean, str(broker.audit())


def job() -> Message[Any]:
    return Message(queue_name="default", actor_name="act", args=(), kwargs={"tenant_id": "a"}, options={})


def send(broker: FairBroker) -> str:
    return broker.enqueue(job()).message_id


def kinds(broker: FairBroker, job_id: str) -> list[str]:
    entries = broker.journal.read(count=10_000)
    return [event.kind for entry in entries for event in entry.events if event.job_id == job_id]


def counted(broker: FairBroker) -> set[str]:
    """Outcomes that were counted."""
    names = [name.decode().split("\t") for name in broker.commands.hgetall(broker.keys.metrics)]
    return {labels[-1] for name, *labels in names if name == "jobs_processed"}


def cancel_while_it_runs(broker: FairBroker) -> tuple[ScriptedWorker, str]:
    job_id = send(broker)
    worker = ScriptedWorker(broker)
    assert [row[0] for row in worker.fetch()] == [job_id]
    assert broker.cancel(job_id) == "cancelling"
    return worker, job_id


@pytest.mark.parametrize("way", CUT_SHORT)
def test_a_cancelled_run_that_is_cut_short_is_the_end_of_its_job(broker: FairBroker, way: str) -> None:
    worker, job_id = cancel_while_it_runs(broker)

    CUT_SHORT[way](broker, worker, job_id)

    assert broker.get(job_id) is None
    assert kinds(broker, job_id) == ["enqueued", "cancelled"]
    assert counted(broker) == {"cancelled"}
    assert broker.stats(["default"])[0].total == 0
    assert broker.client.exists(broker.keys.cancels) == 0
    assert ScriptedWorker(broker).fetch() == []


def test_its_id_is_remembered_so_a_repeat_of_its_send_changes_nothing(broker: FairBroker) -> None:
    message = job()
    broker.enqueue(message)
    worker = ScriptedWorker(broker)
    worker.fetch()
    broker.cancel(message.message_id)
    broker.scripts.call("bury_worker", worker.worker)
    broker.enqueue(message)
    assert broker.get(message.message_id) is None


@pytest.mark.parametrize("kind", ["completed", "skipped"])
def test_a_cancel_that_came_too_late_changes_no_outcome(broker: FairBroker, kind: str) -> None:
    worker, job_id = cancel_while_it_runs(broker)
    worker.settle(job_id, kind, ["", "", 0])
    assert kinds(broker, job_id) == ["enqueued", kind]
    assert broker.client.exists(broker.keys.cancels) == 0


def test_a_cancelled_job_that_failed_for_good_is_a_dead_letter(broker: FairBroker) -> None:
    worker, job_id = cancel_while_it_runs(broker)
    worker.fail(job_id)
    assert [letter.job_id for letter in broker.dead_letters.list()] == [job_id]
    assert broker.client.exists(broker.keys.cancels) == 0


def test_a_cancelled_suspect_is_no_dead_letter_when_it_loses_its_worker(broker: FairBroker) -> None:
    job_id = send(broker)
    for _ in range(3):
        worker = ScriptedWorker(broker)
        worker.fetch()
        if worker.status == "alone":
            broker.cancel(job_id)
        broker.scripts.call("bury_worker", worker.worker)
    assert kinds(broker, job_id) == ["enqueued", "lost", "lost", "cancelled"]
    assert broker.dead_letters.list() == []


def test_a_cancelled_member_does_not_complete_its_group(broker: FairBroker) -> None:
    broker.scripts.call("group", "g", 1, 60_000)
    worker, job_id = cancel_while_it_runs(broker)
    worker.settle(job_id, "retry", [1, 0, "RuntimeError: broken", ""], group=["g", 60_000, []])
    assert broker.client.hexists(f"{broker.keys.prefix}:group:g", job_id) is False
    assert kinds(broker, job_id) == ["enqueued", "cancelled"]


def test_a_cancelled_run_is_charged_what_it_took(broker: FairBroker) -> None:
    broker.client.hset(f"{broker.keys.prefix}:means", "act", 100)
    worker, job_id = cancel_while_it_runs(broker)
    worker.settle(job_id, "retry", [1, 0, "RuntimeError: broken", ""], ran_ms=30)
    assert broker.client.zscore(f"{broker.keys.prefix}:tags:default", "a") == 30
