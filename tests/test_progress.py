"""Progress that jobs report: told seldom, told last, gone with the run."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from command import SmallFleet, run
from dramatiq import Message
from dramatiq.middleware import AsyncIO
from journal_events import append, ended, enqueued, event, job, recording
from processes import Process
from scripted_worker import ScriptedWorker
from wait import eventually, present
from worker_threads import StartWorker

from jobfleet.broker import FairBroker, progress
from jobfleet.broker.errors import InvalidPayload
from jobfleet.broker.journal import Event
from jobfleet.broker.progress import PAUSE_SECONDS
from jobfleet.middleware import report_progress
from jobfleet.middleware.archive import PostgresArchive
from jobfleet.middleware.database import Database


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Actors wait at it, so that the test sees them run."""
    gate = threading.Event()
    yield gate
    gate.set()


def told(broker: FairBroker, message: Message[Any]) -> list[Event]:
    """What the journal has of a job, without its sending."""
    events = [event for entry in broker.journal.read(count=10_000) for event in entry.events]
    return [event for event in events if event.job_id == message.message_id and event.kind != "enqueued"]


def fractions(broker: FairBroker, message: Message[Any]) -> list[float]:
    return [event.detail["fraction"] for event in told(broker, message) if event.kind == "progress"]


def shown(broker: FairBroker, message: Message[Any]) -> tuple[float | None, str]:
    state = present(broker.get(message.message_id))
    return state.progress, state.progress_note


def test_a_running_job_shows_how_far_it_is(
    broker: FairBroker, start_worker: StartWorker, gate: threading.Event
) -> None:
    # Given a job that waits in the middle
    @dramatiq.actor(broker=broker)
    def act() -> None:
        report_progress(0.25, "1 of 4 Blätter")
        gate.wait(30)

    # When it runs
    sent = act.send()
    assert shown(broker, sent) == (None, "")
    start_worker()

    # Then the broker knows, at once, and the journal
    eventually(lambda: shown(broker, sent) == (0.25, "1 of 4 Blätter"))
    assert [event.kind for event in told(broker, sent)] == ["started", "progress"]
    assert told(broker, sent)[-1].detail == {"fraction": 0.25, "note": "1 of 4 Blätter"}

    # And when it is over nothing is left of it in Redis
    gate.set()
    broker.join("default", timeout=15_000)
    assert broker.get(sent.message_id) is None


def test_a_hundred_thousand_reports_are_a_handful_of_events(broker: FairBroker, start_worker: StartWorker) -> None:
    @dramatiq.actor(broker=broker)
    def act() -> None:
        for done in range(100_000):
            report_progress(done / 100_000, str(done))
        report_progress(1)

    sent = act.send()
    start_worker()
    broker.join("default", timeout=60_000)

    *_, completed = told(broker, sent)
    assert completed.kind == "completed"
    assert fractions(broker, sent)[-1] == 1.0, "the last report is told before the end"
    assert len(fractions(broker, sent)) <= completed.detail["run_ms"] / 1000 / PAUSE_SECONDS + 2


def test_a_short_job_tells_its_last_report_only(broker: FairBroker, start_worker: StartWorker) -> None:
    @dramatiq.actor(broker=broker)
    def act() -> None:
        report_progress(0.5)
        report_progress(0.75, "three quarters")

    sent = act.send()
    start_worker()
    broker.join("default", timeout=15_000)

    assert fractions(broker, sent)[-1] == 0.75
    assert [event.kind for event in told(broker, sent)][-1] == "completed"


def test_an_async_job_reports_too(broker: FairBroker, start_worker: StartWorker) -> None:
    broker.add_middleware(AsyncIO())

    @dramatiq.actor(broker=broker)
    async def act() -> None:
        report_progress(0.5, "half")

    sent = act.send()
    start_worker()
    broker.join("default", timeout=15_000)

    assert fractions(broker, sent) == [0.5]


def test_each_run_begins_anew(broker: FairBroker, start_worker: StartWorker, gate: threading.Event) -> None:
    seen = threading.Semaphore(0)

    @dramatiq.actor(broker=broker, min_backoff=1, max_retries=1)
    def act() -> None:
        if seen.acquire(blocking=False):
            gate.wait(30)
            return
        report_progress(0.9, "nearly")
        seen.release()
        raise ValueError("after all that")

    sent = act.send()
    start_worker()

    eventually(lambda: [e.kind for e in told(broker, sent)] == ["started", "progress", "retry", "started"])
    assert shown(broker, sent) == (None, "")


def test_a_run_that_is_no_longer_held_changes_nothing(broker: FairBroker) -> None:
    # Given a job that a worker was given, and lost to another one
    @dramatiq.actor(broker=broker)
    def act() -> None: ...

    sent = act.send()
    first, second = ScriptedWorker(broker), ScriptedWorker(broker)
    first.fetch()
    first.beat(names={})
    second.fetch()
    second.settle(sent.message_id, "progress", [0.25, "the one that holds it"])

    # When the first one reports
    late = first.settle(sent.message_id, "progress", [0.75, "late"])

    # Then it is counted as late and changes nothing
    assert late == 1
    assert shown(broker, sent) == (0.25, "the one that holds it")
    assert fractions(broker, sent) == [0.25]
    second.complete(sent.message_id)
    assert broker.audit().clean


def test_a_report_after_the_end_of_the_run_changes_nothing(broker: FairBroker, start_worker: StartWorker) -> None:
    # Given an actor whose helper thread carries its context and lives on
    over, reported = threading.Event(), threading.Event()

    def help_late() -> None:
        over.wait(30)
        report_progress(0.5)
        reported.set()

    @dramatiq.actor(broker=broker)
    def act() -> None:
        threading.Thread(target=contextvars.copy_context().run, args=[help_late]).start()

    # When it reports behind the end
    sent = act.send()
    start_worker()
    broker.join("default", timeout=15_000)
    over.set()
    assert reported.wait(15)

    # Then nobody hears of it
    assert fractions(broker, sent) == []
    assert progress._reported == {}, "nothing is kept of it"


def test_outside_of_a_run_it_does_nothing() -> None:
    report_progress(0.5, "in a unit test")


@pytest.mark.parametrize(
    "fraction", [-0.01, 1.01, float("nan"), float("inf"), True, None, "0.5", 1j, pytest.param(10**5_000, id="huge")]
)
def test_what_is_no_fraction_is_refused(fraction: Any) -> None:
    with pytest.raises(InvalidPayload, match="fraction is .*; allowed is a number from 0 to 1") as refused:
        report_progress(fraction)
    assert refused.value.field == "fraction"


@pytest.mark.parametrize("note", ["x" * 256, None, b"half", 7])
def test_what_is_no_note_is_refused(note: Any) -> None:
    with pytest.raises(InvalidPayload, match="note is .*; allowed is text of at most 255 characters") as refused:
        report_progress(0.5, note)
    assert refused.value.field == "note"


def test_any_text_can_be_a_note(broker: FairBroker, start_worker: StartWorker) -> None:
    @dramatiq.actor(broker=broker)
    def act() -> None:
        report_progress(0.5, "half a \ud83d pair, \x00 and ä")

    sent = act.send()
    start_worker()
    broker.join("default", timeout=15_000)

    assert [e.detail["note"] for e in told(broker, sent) if e.kind == "progress"] == ["half a ? pair, \x00 and ä"]


def test_the_log_keeps_the_progress_of_the_last_run(broker: FairBroker, database_url: str) -> None:
    # Given a job whose first run got far and failed, and whose second one completed without a word
    append(broker, enqueued(), event("started", 100, attempt=1, worker="worker-1"))
    append(broker, event("progress", 200, attempt=1, fraction=0.9, note="nearly"), ended("retry", 300, error="E: no"))
    append(broker, enqueued("job-2"), event("started", 100, "job-2", 1, "worker-1"))
    append(broker, event("progress", 200, "job-2", 1, fraction=0.4, note="2 of 5"))
    with recording(broker, database_url):
        eventually(lambda: broker.journal.read() == [])

    # Then the log shows none for the first, and the newest for the one that runs
    assert (job(database_url)["progress"], job(database_url)["progress_note"]) == (None, None)
    database = Database(database_url)
    state = present(PostgresArchive(database).job("job-2"))
    database.close()
    assert (round(state.progress or 0, 3), state.progress_note) == (0.4, "2 of 5")


def test_the_command_shows_progress(
    broker: FairBroker, database_url: str, fleet_environment: dict[str, str], gate: threading.Event
) -> None:
    database = Database(database_url)
    fleet = SmallFleet(broker, database)

    @dramatiq.actor(broker=broker, queue_name="export")
    def act() -> None:
        while not gate.wait(0.1):
            report_progress(0.42, "42 of 100 rows")

    sent = act.send()
    with Process(["jobfleet", "jobs", "follow", "--until-done", sent.message_id], fleet_environment) as follow:
        with fleet.running():
            follow.says("42% 42 of 100 rows")
            gate.set()
        followed = follow.wait()
    outcome = run(fleet_environment, "jobs", "show", sent.message_id)
    database.close()

    assert followed.status == 0
    assert "progress  42% 42 of 100 rows" in outcome.output
