"""No outcome stops the others: whatever one run hands over, all that ended beside it is settled."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dramatiq
import pytest
from dramatiq import Message, Worker
from dramatiq.middleware.threading import raise_thread_exception
from dramatiq.results import ResultFailure, ResultMissing, Results
from scripted_worker import ScriptedWorker
from wait import eventually, present
from worker_threads import StartWorker

from jobfleet.broker import FairBroker
from jobfleet.broker.lease import current_lease
from jobfleet.broker.results import SettledResults
from jobfleet.broker.scripts import pack


def is_over(broker: FairBroker, message: Message[Any]) -> bool:
    return broker.get(message.message_id) is None


@pytest.mark.parametrize("ttl", [0, -1, "60s", None, True, float("nan"), [1]])
@pytest.mark.parametrize("declared", [True, False])
def test_a_result_whose_time_is_none_is_dropped_and_its_job_completes(
    broker: FairBroker, start_worker: StartWorker, ttl: Any, declared: bool
) -> None:
    results = SettledResults(broker)
    broker.add_middleware(Results(backend=results, store_results=True))

    @dramatiq.actor(broker=broker, **({"result_ttl": ttl} if declared else {}))
    def odd() -> int:
        return 1

    @dramatiq.actor(broker=broker)
    def other() -> int:
        return 2

    start_worker()
    first = odd.send() if declared else odd.send_with_options(result_ttl=ttl)
    assert other.send().get_result(backend=results, block=True) == 2
    eventually(lambda: is_over(broker, first))
    with pytest.raises(ResultMissing):
        first.get_result(backend=results)
    assert broker.dead_letters.list() == []


@pytest.mark.parametrize("ttl", [timedelta(hours=1), 2**70, 60_000.5, float("inf")])
def test_a_result_is_kept_for_a_time_that_the_server_can_count(
    broker: FairBroker, start_worker: StartWorker, ttl: Any
) -> None:
    results = SettledResults(broker)
    broker.add_middleware(Results(backend=results, store_results=True))

    @dramatiq.actor(broker=broker, result_ttl=ttl)
    def act() -> int:
        return 1

    @dramatiq.actor(broker=broker, result_ttl=ttl, max_retries=0)
    def fails() -> int:
        raise ValueError("not today")

    start_worker()
    sent, failed = act.send(), fails.send()
    assert sent.get_result(backend=results, block=True) == 1
    with pytest.raises(ResultFailure):
        failed.get_result(backend=results, block=True)


def test_an_outcome_that_the_script_cannot_write_is_a_dead_letter_and_all_beside_it_are_settled(
    broker: FairBroker,
) -> None:
    # Given a batch in which one result has a time that the server refuses, between outcomes of every kind
    worker = ScriptedWorker(broker)
    ids = ["retried", "failed", "completed", "odd", "oddly-failed", "last"]
    broker.enqueue_many([Message[Any]("default", "act", (), {"tenant_id": "acme"}, {}, job_id) for job_id in ids])
    assert len(worker.fetch(10)) == len(ids)
    error = ["RuntimeError: broken", "RuntimeError", "a traceback", "exhausted"]
    outcomes: list[tuple[str, list[Any]]] = [
        ("retry", [1, 60_000, "RuntimeError: broken", ""]),
        ("failed", [1, *error, "", "", 0]),
        ("completed", ["1", broker.keys.result("completed"), 60_000]),
        ("completed", ["1", broker.keys.result("odd"), 0]),
        ("failed", [1, *error, "1", broker.keys.result("oddly-failed"), -5]),
        ("completed", ["2", broker.keys.result("last"), 60_000]),
    ]
    items = [
        [worker.worker, job_id, worker.held[job_id], kind, 1, detail, [], []]
        for job_id, (kind, detail) in zip(ids, outcomes, strict=True)
    ]

    # When it is settled
    assert broker.scripts.call("settle", pack([worker.worker, 1, items]), worker.messages["retried"]) == 0

    # Then that job is a dead letter which says why, and each of the others is where it belongs
    letters = {letter.job_id: letter for letter in broker.dead_letters.list()}
    assert {job_id: letter.reason for job_id, letter in letters.items()} == {
        "failed": "exhausted",
        "odd": "unhandled",
        "oddly-failed": "unhandled",
    }
    assert "its outcome (completed) could not be written" in letters["odd"].error
    assert "invalid expire" in letters["odd"].error
    assert present(broker.get("retried")).state == "scheduled"
    assert broker.get("completed") is None
    assert broker.get("last") is None
    assert broker.audit().clean, str(broker.audit())
    # And it can be replayed
    broker.dead_letters.replay(["odd"])
    assert [row[0] for row in worker.fetch(10)] == ["odd"]
    assert worker.complete("odd") == 0


def test_what_hooks_send_is_a_dead_letter_where_its_key_was_damaged(broker: FairBroker) -> None:
    worker = ScriptedWorker(broker)
    broker.enqueue(Message("default", "act", (), {"tenant_id": "acme"}, {}, "first"))
    assert len(worker.fetch()) == 1
    broker.client.set(f"{broker.keys.prefix}:key:acme:3:act:order", "scribble")
    row = ["default", "acme", "act", 5, 0]
    sends = [
        [1, "keyed", *row, pack([0, 0, "order", "digest", 1_000]), ""],
        [1, "next", *row, b"", ""],
    ]
    assert worker.settle("first", "completed", ["", "", 0], sends=sends) == 0
    (letter,) = broker.dead_letters.list()
    assert (letter.job_id, letter.reason) == ("keyed", "invalid")
    assert [found[0] for found in worker.fetch(5)] == ["next"]
    broker.client.delete(f"{broker.keys.prefix}:key:acme:3:act:order")
    assert broker.audit().clean, str(broker.audit())


def test_what_damaged_keys_hold_up_waits_for_their_repair_and_holds_up_nothing_else(
    broker: FairBroker, start_worker: StartWorker
) -> None:
    # Given jobs of two queues that run, and a key of one of them that is destroyed meanwhile
    gate = threading.Event()

    @dramatiq.actor(broker=broker, queue_name="broken")
    def held() -> None:
        gate.wait(30)

    @dramatiq.actor(broker=broker)
    def other() -> None:
        gate.wait(30)

    sent = [held.send(), *(other.send() for _ in range(3))]
    start_worker()
    eventually(lambda: sum(stats.active for stats in broker.stats(["broken", "default"])) == 4)
    broker.client.delete(broker.keys.active("broken"))
    broker.client.set(broker.keys.active("broken"), "scribble")

    # When they end in one batch
    gate.set()

    # Then the others are settled, and so is this one as soon as it can be
    eventually(lambda: all(is_over(broker, message) for message in sent[1:]))
    assert broker.client.hexists(broker.keys.jobs, sent[0].message_id)
    assert broker.audit(repair=True).by_kind() == {"type": 1}
    eventually(lambda: is_over(broker, sent[0]))


def test_an_outcome_that_cannot_travel_is_a_dead_letter_and_all_beside_it_are_settled(
    broker: FairBroker, start_worker: StartWorker
) -> None:
    class Careless(dramatiq.Middleware):
        def after_process_message(self, broker: Any, message: Any, **outcome: Any) -> None:
            if message.actor_name == "odd":
                present(current_lease()).result = ("1", "key", 2**70)

    broker.add_middleware(Careless())

    @dramatiq.actor(broker=broker)
    def odd() -> None: ...

    @dramatiq.actor(broker=broker)
    def other() -> None: ...

    sent = [other.send(), odd.send(), other.send()]
    start_worker()
    (letter,) = eventually(broker.dead_letters.list)
    assert (letter.job_id, letter.reason, letter.error_type) == (sent[1].message_id, "bad_result", "OverflowError")
    assert "its outcome (completed) cannot travel" in letter.error
    sent.append(other.send())
    eventually(lambda: all(is_over(broker, message) for message in sent if message.actor_name == "other"))


@pytest.fixture
def quick(redis_url: str, namespace: str) -> Iterator[FairBroker]:
    """A broker whose heartbeats are frequent."""
    broker = FairBroker(redis_url, namespace=namespace, lease_ms=900)
    yield broker
    broker.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_settling_thread_that_dies_is_replaced(quick: FairBroker) -> None:
    @dramatiq.actor(broker=quick)
    def act() -> None: ...

    worker = Worker(quick, worker_threads=2, worker_timeout=100)
    worker.start()
    try:
        first = act.send()
        eventually(lambda: is_over(quick, first))
        (thread,) = (thread for thread in threading.enumerate() if thread.name == "jobfleet-settlement")
        raise_thread_exception(thread.ident, SystemExit)
        eventually(lambda: not thread.is_alive())
        second = act.send()
        eventually(lambda: is_over(quick, second))
    finally:
        worker.stop()
    assert quick.audit().clean


def test_a_batch_number_that_was_scribbled_over_stops_no_settle(broker: FairBroker) -> None:
    worker = ScriptedWorker(broker)
    broker.enqueue_many([Message[Any]("default", "act", (), {}, {}, job_id) for job_id in ("first", "second")])
    assert len(worker.fetch(2)) == 2
    assert worker.complete("first") == 0
    broker.client.set(f"{broker.keys.prefix}:settled:{worker.worker}", "scribble")
    assert worker.complete("second") == 0
    assert broker.get("second") is None
    assert broker.audit().clean
