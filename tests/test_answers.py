"""Calls of operators and of workers that come and go, delivered twice: one effect, and the right answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dramatiq import Message
from lossy_proxy import LossyProxy
from scripted_worker import ScriptedWorker
from wait import present

from jobfleet.broker import FairBroker, scripts
from jobfleet.broker.leases import Leases
from jobfleet.broker.membership import Introduction, Membership
from jobfleet.broker.scripts import pack


@pytest.fixture
def proxy(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LossyProxy]:
    monkeypatch.setattr(scripts, "PAUSE_SECONDS", 0.0)
    with LossyProxy(redis_url) as proxy:
        yield proxy


@pytest.fixture
def operator(proxy: LossyProxy, namespace: str) -> Iterator[FairBroker]:
    """Somebody whose network loses replies."""
    operator = FairBroker(url=proxy.url, namespace=namespace)
    yield operator
    operator.close()


@pytest.fixture(autouse=True)
def clean_audit(broker: FairBroker) -> Iterator[None]:
    yield
    assert broker.audit().clean, str(broker.audit())


def send(broker: FairBroker, *, delay: int | None = None) -> str:
    return broker.enqueue(Message("default", "act", (), {"tenant_id": 1}, {}), delay=delay).message_id


def die(worker: ScriptedWorker) -> None:
    ((job_id, *_),) = worker.fetch()
    worker.fail(job_id)


def kinds(broker: FairBroker, job_id: str) -> list[str]:
    entries = broker.journal.read(count=10_000)
    return [event.kind for entry in entries for event in entry.events if event.job_id == job_id]


def deliver_again(broker: FairBroker, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Calls the named script once more as it was called last, as when a given-up call arrives after all."""
    calls: dict[str, tuple[Any, ...]] = {}
    call = broker.scripts.call

    def remembered(name: str, *args: Any) -> Any:
        calls[name] = args
        return call(name, *args)

    monkeypatch.setattr(broker.scripts, "call", remembered)
    return lambda name: call(name, *calls[name])


def test_a_replay_that_is_repeated_leaves_the_next_death_alone(
    broker: FairBroker, operator: FairBroker, proxy: LossyProxy
) -> None:
    # Given a dead letter
    worker = ScriptedWorker(broker)
    job_id = send(broker)
    die(worker)
    # When the reply of its replay is lost, and it dies again before the repeat
    proxy.lose_next("replay", lambda: die(worker))
    answer = operator.dead_letters.replay([job_id])
    # Then it was replayed once, and the operator is told so
    assert answer == [job_id]
    assert kinds(broker, job_id) == ["enqueued", "failed", "replayed", "failed"]
    assert present(broker.get(job_id)).state == "failed"


@pytest.mark.parametrize("name", ["replay", "discard"])
def test_a_death_that_is_not_meant_is_left_alone(broker: FairBroker, name: str) -> None:
    # Given an operator who looked at a job's first death, and a job that died again since
    worker = ScriptedWorker(broker)
    job_id = send(broker)
    die(worker)
    letter = present(broker.dead_letters.show(job_id))
    rows = {
        "replay": [job_id, letter.failed_ms - 1, "default", "1", "act", 5, 1, letter.created_ms, ""],
        "discard": [job_id, letter.failed_ms - 1, "default", "1", "act", 1, 0],
    }
    # When the call arrives
    answer = broker.scripts.call(name, "request", pack([rows[name]]), letter.message)
    # Then nothing happens
    assert answer == [0]
    assert broker.dead_letters.show(job_id) == letter


def test_a_letter_of_the_archive_is_replayed_once(broker: FairBroker) -> None:
    # Given a dead letter that only PostgreSQL holds
    worker = ScriptedWorker(broker)
    job_id = send(broker)
    die(worker)
    letter = present(broker.dead_letters.show(job_id))

    def leave_redis() -> None:
        entries = broker.journal.read()
        events = sum(entry.size for entry in entries)
        broker.scripts.call("recorded", pack([entries[-1].position, events, 0, ["default", job_id]]))
        assert broker.dead_letters.show(job_id) is None

    leave_redis()
    row = [job_id, letter.failed_ms, "default", "1", "act", 5, 1, letter.created_ms, ""]
    # When its replay is delivered again, after it has died and left again
    answer = broker.scripts.call("replay", "request", pack([row]), letter.message)
    die(worker)
    leave_redis()
    again = broker.scripts.call("replay", "request", pack([row]), letter.message)
    # Then it waits no second time
    assert answer == again == [1]
    assert broker.get(job_id) is None


def test_a_discard_that_is_repeated_says_what_it_did(
    broker: FairBroker, operator: FairBroker, proxy: LossyProxy
) -> None:
    job_id = send(broker)
    die(ScriptedWorker(broker))
    proxy.lose_next("discard", lambda: None)
    assert operator.dead_letters.discard([job_id]) == [job_id]
    assert kinds(broker, job_id) == ["enqueued", "failed", "discarded"]


def test_a_letter_that_was_discarded_is_not_given_up_again_while_the_archive_has_not_heard_of_it(
    broker: FairBroker,
) -> None:
    # Given a letter that PostgreSQL holds too, and that was discarded a moment ago
    job_id = send(broker)
    die(ScriptedWorker(broker))
    letter = present(broker.dead_letters.show(job_id))
    assert broker.dead_letters.discard([job_id]) == [job_id]
    # When somebody else discards it, to whom PostgreSQL still says that it is dead
    row = [job_id, letter.failed_ms, "default", "1", "act", 1, "", 1]
    answer = broker.scripts.call_once("discard", pack([row]), "once more")
    # Then it was given up once, and is counted once
    assert answer == [0]
    assert kinds(broker, job_id) == ["enqueued", "failed", "discarded"]
    assert broker.client.hget(broker.keys.metrics, "dead_discarded\tdefault") == b"1"


@pytest.mark.parametrize("delay", [None, 60_000])
def test_a_cancel_that_is_repeated_says_what_it_did(
    broker: FairBroker, operator: FairBroker, proxy: LossyProxy, delay: int | None
) -> None:
    job_id = send(broker, delay=delay)
    proxy.lose_next("cancel", lambda: None)
    assert operator.cancel(job_id) == "cancelled"
    assert operator.cancel(job_id) == "unknown", "that is another request"


def test_a_cancel_of_a_running_job_says_so_although_it_has_ended_meanwhile(
    broker: FairBroker, operator: FairBroker, proxy: LossyProxy
) -> None:
    worker = ScriptedWorker(broker)
    job_id = send(broker)
    worker.fetch()

    def end() -> None:
        worker.settle(job_id, "cancelled", [])

    proxy.lose_next("cancel", end)
    assert operator.cancel(job_id) == "cancelling"


def test_a_purge_that_is_repeated_leaves_alone_what_was_sent_since(
    broker: FairBroker, operator: FairBroker, proxy: LossyProxy
) -> None:
    # Given a job that waits
    old, later = send(broker), []
    # When the reply of a purge is lost, and another job is sent before the repeat
    proxy.lose_next("cancel_many", lambda: later.append(send(broker)))
    operator.flush("default")
    # Then that one stays
    assert broker.get(old) is None
    assert present(broker.get(later[0])).state == "pending"


@pytest.mark.parametrize("farewell", ["leave", "bury_worker"])
def test_a_worker_that_is_gone_does_not_come_back_by_a_late_registration(
    broker: FairBroker, monkeypatch: pytest.MonkeyPatch, farewell: str
) -> None:
    again = deliver_again(broker, monkeypatch)
    worker = ScriptedWorker(broker)
    broker.scripts.call(farewell, worker.worker)
    again("register")
    assert worker.beat() == [b"gone"]
    assert broker.client.zcard(broker.keys.workers) == 0


def test_a_worker_that_has_left_does_not_join_by_its_own_registration_that_was_given_up(broker: FairBroker) -> None:
    broker.scripts.call("leave", "early")
    broker.scripts.call("register", pack(["early", 60_000, ["host", "test"], ["default"], [], ""]))
    assert broker.client.zcard(broker.keys.workers) == 0


def test_a_worker_that_was_presumed_lost_joins_again_unless_it_has_left(broker: FairBroker) -> None:
    membership = Membership(broker.scripts, Leases(), 60_000, Introduction(1, ("default",), ()))
    membership.join()
    broker.scripts.call("bury_worker", membership.worker)
    membership.beat()
    assert broker.client.zscore(broker.keys.workers, membership.worker)
    assert broker.client.zcard(broker.keys.workers) == 1

    membership.leave()
    membership.rejoin(membership.worker)
    assert broker.client.zcard(broker.keys.workers) == 0
