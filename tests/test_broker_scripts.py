"""The scripts, one transition at a time, on a real server; each test ends with a clean audit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dramatiq import Message
from scripted_worker import ScriptedWorker
from wait import eventually, present

from jobfleet.broker import SYSTEM, FairBroker
from jobfleet.broker.errors import BacklogFull, JobfleetError
from jobfleet.broker.record import Record
from jobfleet.broker.scripts import pack, unpack


@pytest.fixture(autouse=True)
def clean_audit(broker: FairBroker) -> Iterator[None]:
    """Whatever a test does, no job is lost or in two places afterwards."""
    yield
    assert broker.audit().clean, str(broker.audit())


def message(
    tenant: str | int | None = 1, *, number: int = 0, queue: str = "default", **options: object
) -> Message[Any]:
    arguments = {"number": number} | ({} if tenant is None else {"tenant_id": tenant})
    return Message(queue_name=queue, actor_name="act", args=(), kwargs=arguments, options=dict(options))


def send(broker: FairBroker, *messages: Message[Any], delay: int | None = None) -> list[str]:
    outcomes = broker.enqueue_many(messages, delay=delay)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    return [sent.message_id for sent in messages]


def kinds(broker: FairBroker, job_id: str) -> list[str]:
    entries = broker.journal.read(count=10_000)
    return [event.kind for entry in entries for event in entry.events if event.job_id == job_id]


def test_a_job_travels_from_send_to_completed(broker: FairBroker) -> None:
    (job_id,) = send(broker, message(7))
    worker = ScriptedWorker(broker)

    assert present(broker.get(job_id)).state == "pending"
    ((fetched, queue, tenant, actor, attempt, losses, _),) = worker.fetch()
    assert (fetched, queue, tenant, actor, attempt, losses) == (job_id, "default", "7", "act", 1, 0)
    assert present(broker.get(job_id)).state == "active"
    assert present(broker.get(job_id)).worker == worker.worker

    assert worker.complete(job_id) == 0
    assert broker.get(job_id) is None
    assert kinds(broker, job_id) == ["enqueued", "completed"]
    (stats,) = broker.stats(["default"])
    assert (stats.waiting, stats.active, stats.completed, stats.failed, stats.delayed) == (0, 0, 1, 0, 0)


def test_the_same_send_twice_is_one_job_also_after_it_has_ended(broker: FairBroker) -> None:
    twice = message()
    send(broker, twice)
    send(broker, twice)
    worker = ScriptedWorker(broker)
    assert len(worker.fetch(10)) == 1
    send(broker, twice)
    worker.complete(twice.message_id)
    send(broker, twice)
    assert worker.fetch(10) == []
    assert kinds(broker, twice.message_id) == ["enqueued", "completed"]


def test_a_repeated_fetch_gives_the_same_jobs(broker: FairBroker) -> None:
    send(broker, *(message(number=n) for n in range(5)))
    worker = ScriptedWorker(broker)
    first = worker.fetch(3)
    again = worker.fetch(3, repeat=True)
    assert sorted(row[0] for row in again) == sorted(row[0] for row in first)
    assert len(worker.fetch(10)) == 2


def test_a_repeated_settle_changes_nothing_and_is_not_counted_as_late(broker: FairBroker) -> None:
    (job_id,) = send(broker, message())
    worker = ScriptedWorker(broker)
    worker.fetch()
    assert worker.retry(job_id, 60_000) == 0
    assert worker.settle(job_id, "retry", [1, 60_000, "e", "t"], again=True) == 0
    assert present(broker.get(job_id)).attempts == 1
    assert kinds(broker, job_id) == ["enqueued", "retry"]


def test_a_heartbeat_releases_what_the_worker_does_not_name(broker: FairBroker) -> None:
    ids = send(broker, message(number=1), message(number=2))
    worker = ScriptedWorker(broker)
    worker.fetch(2)
    kept = {ids[0]: worker.held[ids[0]]}

    assert worker.beat(names=kept, received=0)[0] == b"ok"
    assert broker.stats(["default"])[0].active == 2, "a fetch whose reply has not arrived yet is left alone"

    worker.beat(names=kept)
    assert present(broker.get(ids[1])).state == "pending"
    assert present(broker.get(ids[1])).attempts == 0
    assert kinds(broker, ids[1]) == ["enqueued", "released"]
    assert present(broker.get(ids[0])).state == "active"


def test_a_lost_workers_jobs_go_back_to_the_front_and_its_late_settle_changes_nothing(broker: FairBroker) -> None:
    ids = send(broker, *(message(number=n) for n in range(4)))
    lost = ScriptedWorker(broker, lease_ms=300)
    assert [row[0] for row in lost.fetch(2)] == ids[:2]
    other = ScriptedWorker(broker, lease_ms=300)

    def taken_back() -> bool:
        other.beat()
        broker.upkeep()
        return broker.stats(["default"])[0].active == 0

    eventually(taken_back)
    rows = other.fetch(4)
    assert [row[0] for row in rows] == ids, "what was lost comes first, in its old order"
    assert [(row[4], row[5]) for row in rows] == [(1, 1), (1, 1), (1, 0), (1, 0)], "a loss is no attempt"
    assert lost.complete(ids[0]) == 1
    assert present(broker.get(ids[0])).worker == other.worker
    assert lost.beat() == [b"gone"]
    with pytest.raises(LookupError, match="gone"):
        lost.fetch()


def test_a_worker_that_leaves_gives_its_jobs_back_at_once(broker: FairBroker) -> None:
    ids = send(broker, message(), message())
    worker = ScriptedWorker(broker)
    worker.fetch(2)
    broker.scripts.call("leave", worker.worker)
    assert [present(broker.get(job_id)).state for job_id in ids] == ["pending", "pending"]
    assert kinds(broker, ids[0]) == ["enqueued", "released"]


def test_retry_is_scheduled_with_the_settle_and_runs_when_due(broker: FairBroker) -> None:
    (job_id,) = send(broker, message())
    worker = ScriptedWorker(broker)
    worker.fetch()
    changed = message(number=99).encode()
    worker.settle(job_id, "retry", [1, 50, "E: x", "tb"], changed)
    assert present(broker.get(job_id)).state == "scheduled"
    ((_, _, _, _, attempt, _, _),) = eventually(worker.fetch)
    assert attempt == 2
    assert worker.messages[job_id] == changed


def test_delayed_jobs_start_in_the_order_in_which_they_are_due(broker: FairBroker) -> None:
    late, early = message(number=1), message(number=2)
    broker.enqueue_many([late, early], delay=[120, 60])
    worker = ScriptedWorker(broker)
    assert worker.fetch(2) == []
    assert 0 < worker.last_next_ms <= 60

    def both_wait() -> bool:
        broker.upkeep()
        return broker.stats(["default"])[0].waiting == 2

    eventually(both_wait)
    assert [row[0] for row in worker.fetch(2)] == [early.message_id, late.message_id]


def test_priority_comes_first_then_arrival(broker: FairBroker) -> None:
    low, plain, plain2, high = (
        message(priority=9),
        message(),
        message(priority=5),
        message(priority=1),
    )
    send(broker, low, plain, plain2, high)
    order = [row[0] for row in ScriptedWorker(broker).fetch(4)]
    assert order == [high.message_id, plain.message_id, plain2.message_id, low.message_id]


def test_failed_is_a_dead_letter_with_all_that_is_needed(broker: FairBroker) -> None:
    (job_id,) = send(broker, message(5, priority=3))
    worker = ScriptedWorker(broker)
    worker.fetch()
    worker.fail(job_id, "ValueError: no")
    (letter,) = broker.dead_letters.list()
    assert (letter.job_id, letter.queue, letter.tenant_id, letter.actor) == (job_id, "default", "5", "act")
    assert (letter.error, letter.reason, letter.attempts, letter.priority) == ("ValueError: no", "exhausted", 1, 3)
    assert letter.message == worker.messages[job_id]
    assert present(broker.get(job_id)).state == "failed"
    assert broker.dead_letters.show(job_id) == letter
    assert broker.dead_letters.list(error="ValueError", tenant="5", queue="default", actor="act") == [letter]
    assert broker.dead_letters.list(tenant="6") == []


def test_replay_keeps_the_id_and_goes_on_counting_attempts(broker: FairBroker) -> None:
    (job_id,) = send(broker, message(retries=2, traceback="old"))
    worker = ScriptedWorker(broker)
    worker.fetch()
    worker.fail(job_id)
    assert broker.dead_letters.replay([job_id, job_id, "nobody"]) == [job_id]
    assert broker.dead_letters.replay([job_id]) == []
    ((_, _, _, _, attempt, _, _),) = worker.fetch()
    assert attempt == 2
    options = Message.decode(worker.messages[job_id]).options
    assert "retries" not in options and "traceback" not in options
    worker.complete(job_id)
    assert kinds(broker, job_id) == ["enqueued", "failed", "replayed", "completed"]


def test_discard_gives_a_dead_letter_up_for_good(broker: FairBroker) -> None:
    (job_id,) = send(broker, message())
    worker = ScriptedWorker(broker)
    worker.fetch()
    worker.fail(job_id)
    assert broker.dead_letters.discard([job_id, "nobody"]) == [job_id]
    assert broker.dead_letters.list() == []
    assert broker.get(job_id) is None


def test_dead_letters_leave_redis_only_once_they_are_stored(
    broker: FairBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBFLEET_DEAD_LETTERS_MAX", "2")
    broker.journal.announce()
    ids = send(broker, *(message(number=n) for n in range(5)))
    worker = ScriptedWorker(broker)
    for row in worker.fetch(5):
        worker.fail(row[0])
    assert len(broker.dead_letters.list()) == 5, "nothing is stored yet, so all stay beyond the cap"

    entries = broker.journal.read(count=100)
    events = sum(len(entry.events) for entry in entries)
    broker.journal.recorded(entries[-1].position, events, [("default", job_id) for job_id in ids[:4]])
    left = [letter.job_id for letter in broker.dead_letters.list()]
    assert len(left) == 2 and ids[4] in left, "what is not stored stays"
    assert broker.journal.read() == []
    assert broker.journal.lag()[0] == 0
    assert broker.stats(["default"])[0].failed == 5, "those that left for PostgreSQL are dead all the same"
    assert broker.audit().clean


def test_the_journal_at_its_cap_refuses_sends_and_never_a_settle(
    broker: FairBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBFLEET_JOURNAL_MAX", "1000")
    broker.journal.announce()
    outcomes = broker.enqueue_many([message(number=n) for n in range(1003)])
    refused = [outcome for outcome in outcomes if isinstance(outcome, BacklogFull)]
    assert len(refused) == 3 and outcomes[-3:] == refused
    assert broker.stats(["default"])[0].waiting == 1000
    worker = ScriptedWorker(broker)
    for row in worker.fetch(3):
        worker.complete(row[0])
    with pytest.raises(BacklogFull, match="journal"):
        broker.enqueue(message())
    assert broker.stats(["default"])[0].completed == 3


def test_without_a_recorder_the_journal_keeps_the_newest_and_refuses_nothing(broker: FairBroker) -> None:
    for _ in range(3):
        send(broker, message())
    assert broker.journal.lag()[0] == 0
    assert len(broker.journal.read(count=100)) == 3


def test_without_a_recorder_a_large_entry_drives_no_small_ones_out(broker: FairBroker) -> None:
    small = [send(broker, message(number=n))[0] for n in range(1_200)]
    send(broker, *(message(number=n) for n in range(500)))
    entries = broker.journal.read(count=10_000)
    assert [entry.events[0].job_id for entry in entries[:-1]] == small
    assert broker.journal.lag()[0] == 0


def test_without_a_recorder_the_journal_keeps_about_ten_thousand_events(broker: FairBroker) -> None:
    for _ in range(3):
        for _ in range(10):
            send(broker, *(message(number=n) for n in range(500)))
        send(broker, message())
    entries = broker.journal.read(count=20_000)
    assert 10_000 <= sum(entry.size for entry in entries) <= 11_500
    assert broker.journal.announce() == sum(entry.size for entry in entries)


def test_cancel_removes_what_waits_and_marks_what_runs(broker: FairBroker) -> None:
    running, waiting = send(broker, message(number=1), message(number=2))
    (delayed,) = send(broker, message(number=3), delay=60_000)
    worker = ScriptedWorker(broker)
    worker.fetch(1)
    assert broker.cancel(waiting) == "cancelled"
    assert broker.cancel(delayed) == "cancelled"
    assert broker.cancel(running) == "cancelling"
    assert broker.cancel("nobody") == "unknown"
    assert worker.beat() == [b"ok", running.encode()]
    worker.settle(running, "cancelled", [])
    assert worker.fetch(5) == []
    assert kinds(broker, waiting) == kinds(broker, delayed) == ["enqueued", "cancelled"]


def test_a_paused_queue_starts_nothing_until_it_is_resumed(broker: FairBroker) -> None:
    send(broker, message())
    worker = ScriptedWorker(broker)
    broker.pause("default")
    assert worker.fetch(5) == []
    assert broker.stats(["default"])[0].paused
    broker.resume("default")
    assert len(worker.fetch(5)) == 1


def test_a_queues_rate_holds_in_any_second(broker: FairBroker) -> None:
    send(broker, *(message(tenant, number=n) for n in range(20) for tenant in range(3)))
    worker = ScriptedWorker(broker)
    other = ScriptedWorker(broker)
    got = worker.fetch(40, rate=25) + other.fetch(40, rate=25)
    assert len(got) == 25
    assert 0 < other.last_next_ms <= 1001
    starts = eventually(lambda: other.fetch(40, rate=25))
    assert len(starts) == 25


def test_a_postponed_run_is_no_attempt(broker: FairBroker) -> None:
    (job_id,) = send(broker, message())
    worker = ScriptedWorker(broker)
    worker.fetch()
    worker.settle(job_id, "postponed", [1, 20, "Unavailable: away"])
    ((_, _, _, _, attempt, _, _),) = eventually(worker.fetch)
    assert attempt == 1
    assert kinds(broker, job_id) == ["enqueued", "postponed"]


def test_flush_drops_what_waits_and_what_is_scheduled(broker: FairBroker) -> None:
    send(broker, *(message(n % 7, number=n) for n in range(1200)))
    send(broker, message(), delay=60_000)
    broker.flush("default")
    assert broker.stats(["default"])[0].total == 0


def test_jobs_carry_a_format_version_and_a_newer_one_is_refused(broker: FairBroker) -> None:
    (job_id,) = send(broker, message())
    packed = broker.client.hget(broker.keys.jobs, job_id)
    assert isinstance(packed, bytes)
    assert Record.decode(packed).tenant_id == "1"
    fields = unpack(packed)
    with pytest.raises(JobfleetError, match="format 2"):
        Record.decode(pack([2, *fields[1:]]))


def test_a_message_without_a_tenant_stands_in_the_systems_line(broker: FairBroker) -> None:
    (job_id,) = send(broker, message(None))
    assert present(broker.get(job_id)).tenant_id == SYSTEM


def test_scripts_survive_a_server_that_has_forgotten_them(broker: FairBroker) -> None:
    (job_id,) = send(broker, message())
    broker.client.script_flush()
    worker = ScriptedWorker(broker)
    assert worker.fetch()[0][0] == job_id


def test_fetch_and_settle_pass_a_server_without_memory(broker: FairBroker) -> None:
    ids = send(broker, message(), message(), message())
    worker = ScriptedWorker(broker)
    broker.client.config_set("maxmemory", "1")
    try:
        with pytest.raises(BacklogFull, match="memory"):
            broker.enqueue(message())
        worker.fetch(3)
        worker.complete(ids[0])
        worker.fail(ids[1])
        worker.retry(ids[2], 60_000)
        worker.beat(names={})
    finally:
        broker.client.config_set("maxmemory", "0")
    assert broker.stats(["default"])[0].total == 1


def test_after_a_fleet_without_processes_the_first_one_that_comes_waits_a_lease(broker: FairBroker) -> None:
    lease_ms, fleet = 60_000, broker.keys.fleet
    (job_id,) = send(broker, message())
    lost = ScriptedWorker(broker, lease_ms=lease_ms)
    lost.fetch()
    last = int(present(broker.commands.hget(fleet, "last")))
    broker.client.hset(fleet, "last", last - lease_ms)
    broker.client.zadd(broker.keys.workers, {lost.worker: last - 1})
    worker = ScriptedWorker(broker, lease_ms=lease_ms)
    assert worker.fetch() == []
    seen, grace = (int(present(value)) for value in broker.commands.hmget(fleet, ["last", "grace"]))
    assert last + lease_ms <= grace <= seen + lease_ms
    broker.client.hset(fleet, "grace", seen)
    assert [row[0] for row in worker.fetch()] == [job_id]
