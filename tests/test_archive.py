from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from journal_events import SENT_MS, append, encoded, ended, enqueued, event, failed, recording, rows
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.middleware.archive import PostgresArchive
from jobfleet.middleware.database import Database
from jobfleet.middleware.job_history import JobHistory


@pytest.fixture
def pool(broker: FairBroker, database_url: str) -> Iterator[Database]:
    """A log with one job of every kind that matters here."""
    append(broker, enqueued("done"), ended("completed", 300, "done", result="7"))
    append(broker, enqueued("dead", key="order:1"), failed(900, "dead"), enqueued("dead-2"), failed(950, "dead-2"))
    append(broker, enqueued("later", due_ms=SENT_MS + 10**10), enqueued("now", after_ms=5))
    append(broker, enqueued("due", due_ms=SENT_MS + 60_000), enqueued("running"))
    append(broker, event("started", 400, "running", attempt=1, worker="worker-1"))
    with recording(broker, database_url):
        eventually(lambda: broker.journal.read() == [])
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE job_logs SET scheduled_for = now() - interval '1 second' WHERE job_id = 'due'")
    pool = Database(database_url)
    yield pool
    pool.close()


def test_a_dead_letter_is_read_back_whole(pool: Database) -> None:
    letter = PostgresArchive(pool).dead_letter("dead")

    assert letter is not None
    assert (letter.queue, letter.tenant_id, letter.actor, letter.priority) == ("email", "42", "send_email", 3)
    assert (letter.attempts, letter.reason, letter.error_type) == (3, "exhausted", "ValueError")
    assert (letter.created_ms, letter.failed_ms, letter.key) == (SENT_MS, SENT_MS + 900, "order:1")
    assert letter.message == encoded("dead", tenant_id=42).encode()
    assert letter.archived
    assert PostgresArchive(pool).dead_letter("done") is None


def test_dead_letters_are_found_by_every_filter_newest_first(pool: Database) -> None:
    archive = PostgresArchive(pool)

    assert [letter.job_id for letter in archive.dead_letters()] == ["dead-2", "dead"]
    matching = archive.dead_letters(queue="email", tenant="42", actor="send_email", error="such address", limit=1)
    assert [letter.job_id for letter in matching] == ["dead-2"]
    for nothing in ({"queue": "ai"}, {"tenant": "7"}, {"actor": "ping"}, {"error": "%"}):
        assert archive.dead_letters(**nothing) == []  # type: ignore[arg-type]


def test_discarding_gives_up_what_is_dead_and_only_that(pool: Database, database_url: str) -> None:
    archive = PostgresArchive(pool)

    died = SENT_MS + 900
    assert archive.discard({"dead": died - 1}) == [], "that is another death of the job"
    assert archive.discard({"dead": died, "done": died, "unknown": died}) == ["dead"]
    assert archive.discard({"dead": died}) == []
    assert archive.dead_letter("dead") is None
    assert rows(database_url, "SELECT status FROM job_logs WHERE job_id = 'dead'") == [{"status": "discarded"}]


@pytest.mark.parametrize(
    ("job_id", "state", "since_ms"),
    [
        ("done", "completed", SENT_MS + 300),
        ("dead", "failed", SENT_MS + 900),
        ("later", "scheduled", SENT_MS + 10**10),
        ("now", "pending", SENT_MS + 5),
        ("running", "active", SENT_MS + 400),
    ],
)
def test_the_state_of_a_job_as_the_log_knows_it(pool: Database, job_id: str, state: str, since_ms: int) -> None:
    found = PostgresArchive(pool).job(job_id)

    assert found is not None
    assert (found.state, found.since_ms) == (state, since_ms)
    assert found.worker == ("worker-1" if state == "active" else "")


def test_a_scheduled_job_whose_time_has_come_is_pending(pool: Database) -> None:
    found = PostgresArchive(pool).job("due")

    assert found is not None
    assert found.state == "pending"
    assert {job.job_id for job in JobHistory(pool).jobs(status="pending")} == {"now", "due"}
    assert {job.job_id for job in JobHistory(pool).jobs(status="scheduled")} == {"later"}


def test_jobs_are_listed_newest_first_page_by_page(pool: Database) -> None:
    history = JobHistory(pool)

    assert history.jobs(limit=1)[0].job_id == "now"
    rest = history.jobs(before=datetime.fromtimestamp(SENT_MS / 1000 + 0.005, UTC))
    assert {job.job_id for job in rest} == {"done", "dead", "dead-2", "later", "due", "running"}
    assert [job.job_id for job in history.jobs(queue="email", tenant="42", actor="send_email", status="completed")] == [
        "done"
    ]
    assert history.jobs(tenant="7") == []


def test_one_job_is_shown_with_its_timeline(pool: Database) -> None:
    found = JobHistory(pool).job("done")

    assert found is not None
    assert (found.status, found.result, found.payload) == ("completed", 7, {"tenant_id": 42})
    assert [(run.run, run.attempt, run.outcome, run.run_ms) for run in found.runs] == [(1, 1, "completed", 100)]
    assert JobHistory(pool).job("unknown") is None
