"""Every kind of event, from the journal of a real Redis to rows of a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from journal_events import SENT_MS, append, encoded, ended, enqueued, event, failed, job, recording, rows, runs
from wait import eventually

from jobfleet.broker import FairBroker

Record = Callable[..., None]


def at(after_ms: int) -> datetime:
    return datetime.fromtimestamp(SENT_MS / 1000, UTC) + timedelta(milliseconds=after_ms)


@pytest.fixture
def record(broker: FairBroker, database_url: str) -> Record:
    """Has events recorded, one entry for each call."""

    def record(*events: Any) -> None:
        append(broker, *events)
        with recording(broker, database_url):
            eventually(lambda: broker.journal.read() == [])

    return record


def test_a_job_that_was_sent_is_pending(record: Record, database_url: str) -> None:
    record(enqueued(key="order:17", priority=2, message=encoded("job-1", ["x"], tenant_id=42, subject="hello")))

    row = job(database_url)
    assert (row["status"], row["attempts"], row["priority"], row["idempotency_key"]) == ("pending", 0, 2, "order:17")
    assert (row["tenant_id"], row["job_type"], row["queue"]) == ("42", "send_email", "email")
    assert row["payload"] == {"tenant_id": 42, "subject": "hello", "args": ["x"]}
    assert row["created_at"] == at(0)
    assert row["started_at"] is None
    assert runs(database_url) == []


def test_a_delayed_job_is_scheduled(record: Record, database_url: str) -> None:
    record(enqueued(due_ms=SENT_MS + 60_000))

    row = job(database_url)
    assert (row["status"], row["scheduled_for"]) == ("scheduled", at(60_000))


def test_a_running_job_shows_its_worker_and_progress(record: Record, database_url: str) -> None:
    record(enqueued(), event("started", 200, attempt=1, worker="worker-1"))
    record(event("progress", 900, attempt=1, fraction=0.25, note="1 of 4"))

    row = job(database_url)
    assert (row["status"], row["worker"], row["started_at"]) == ("active", "worker-1", at(200))
    assert (row["progress"], row["progress_note"]) == (0.25, "1 of 4")
    assert [(run["run"], run["attempt"], run["outcome"]) for run in runs(database_url)] == [(1, 1, "running")]


def test_a_completed_job_has_its_result_and_times(record: Record, database_url: str) -> None:
    record(enqueued())
    record(ended("completed", 300, result='{"sent": true}'))

    row, (run,) = job(database_url), runs(database_url)
    assert (row["status"], row["attempts"], row["result"]) == ("completed", 1, {"sent": True})
    assert (row["started_at"], row["completed_at"], row["failed_at"]) == (at(200), at(300), None)
    assert (row["wait_ms"], row["run_ms"], row["worker"]) == (5, 100, "worker-1")
    assert (run["outcome"], run["started_at"], run["ended_at"]) == ("completed", at(200), at(300))


def test_a_retried_job_waits_with_its_error_until_it_completes(record: Record, database_url: str) -> None:
    # Given a job whose first attempt failed
    record(enqueued())
    record(ended("retry", 300, error="OSError: away", traceback="Traceback", due_ms=SENT_MS + 2_300))
    row = job(database_url)
    assert (row["status"], row["attempts"], row["scheduled_for"]) == ("scheduled", 1, at(2_300))
    assert (row["error"], row["traceback"]) == ("OSError: away", "Traceback")

    # When the second one succeeds
    record(event("started", 2_400, attempt=2, worker="worker-2"), ended("completed", 2_500, attempt=2))

    # Then the job has no error, and its timeline remembers
    row = job(database_url)
    assert (row["status"], row["attempts"], row["error"], row["traceback"]) == ("completed", 2, None, None)
    timeline = [(run["attempt"], run["outcome"], run["error"]) for run in runs(database_url)]
    assert timeline == [(1, "retry", "OSError: away"), (2, "completed", None)]


def test_a_retry_without_delay_is_pending(record: Record, database_url: str) -> None:
    record(enqueued(), ended("retry", 300, error="OSError: away", due_ms=SENT_MS + 300))

    assert job(database_url)["status"] == "pending"


def test_a_failed_job_is_a_dead_letter_that_can_be_rebuilt(record: Record, database_url: str) -> None:
    record(enqueued(key="order:17"), failed(900))

    row = job(database_url)
    assert (row["status"], row["attempts"], row["failed_at"]) == ("failed", 3, at(900))
    assert row["error"] == "ValueError: no such address"
    (letter,) = rows(database_url, "SELECT * FROM dead_letters")
    assert (letter["original_queue"], letter["tenant_id"], letter["actor"]) == ("email", "42", "send_email")
    assert (letter["status"], letter["reason"], letter["attempts"], letter["priority"]) == ("dead", "exhausted", 3, 3)
    assert (letter["created_at"], letter["failed_at"]) == (at(0), at(900))
    assert (letter["error_type"], letter["payload"]) == ("ValueError", {"tenant_id": 42})
    assert (letter["message"].decode(), letter["idempotency_key"]) == (encoded("job-1", tenant_id=42), "order:17")


def test_a_replayed_job_that_dies_again_is_dead_again(record: Record, database_url: str) -> None:
    record(enqueued(), failed(900))
    record(event("replayed", 1_000, attempt=3, message=encoded()))
    row = job(database_url)
    assert (row["status"], row["failed_at"], row["attempts"]) == ("pending", None, 3)
    assert [r["status"] for r in rows(database_url, "SELECT status FROM dead_letters")] == ["replayed"]

    record(failed(2_000, attempt=6))

    (letter,) = rows(database_url, "SELECT * FROM dead_letters")
    assert (letter["status"], letter["attempts"], letter["replayed_at"]) == ("dead", 6, at(1_000))
    assert [run["outcome"] for run in runs(database_url)] == ["failed", "failed"]


def test_death_replay_and_success_in_one_batch(record: Record, database_url: str) -> None:
    record(
        enqueued(),
        failed(900),
        event("replayed", 1_000, message=encoded()),
        ended("completed", 2_000, attempt=4),
    )

    assert (job(database_url)["status"], job(database_url)["attempts"]) == ("completed", 4)
    assert [r["status"] for r in rows(database_url, "SELECT status FROM dead_letters")] == ["replayed"]


def test_a_discarded_job_stays_discarded(record: Record, database_url: str) -> None:
    record(enqueued(), failed(900))
    record(event("discarded", 1_000, reason="by an operator"))

    assert (job(database_url)["status"], job(database_url)["failed_at"]) == ("discarded", at(900))
    (letter,) = rows(database_url, "SELECT status, discarded_at FROM dead_letters")
    assert letter == {"status": "discarded", "discarded_at": at(1_000)}


@pytest.mark.parametrize("kind", ["skipped", "cancelled"])
def test_a_run_may_end_without_success_or_failure(record: Record, database_url: str, kind: str) -> None:
    record(enqueued(), ended(kind, 300))

    row = job(database_url)
    assert (row["status"], row["completed_at"], row["failed_at"]) == (kind, None, None)
    assert row["attempts"] == (1 if kind == "skipped" else 0)
    assert [run["outcome"] for run in runs(database_url)] == [kind]


def test_a_job_cancelled_while_it_waits_has_no_run(record: Record, database_url: str) -> None:
    record(enqueued(), event("cancelled", 300, started_ms=0, wait_ms=0, run_ms=0, result=""))

    assert (job(database_url)["status"], job(database_url)["started_at"]) == ("cancelled", None)
    assert runs(database_url) == []


@pytest.mark.parametrize("kind", ["lost", "released"])
def test_a_job_that_was_given_back_is_pending_and_used_no_attempt(record: Record, database_url: str, kind: str) -> None:
    record(enqueued(), event("started", 200, attempt=1, worker="worker-1"))
    record(event(kind, 900, attempt=1, worker="worker-1", reason="heartbeat missed"))
    assert (job(database_url)["status"], job(database_url)["worker"]) == ("pending", None)

    record(ended("completed", 2_000))

    assert job(database_url)["attempts"] == 1
    timeline = [(run["run"], run["attempt"], run["outcome"], run["error"]) for run in runs(database_url)]
    assert timeline == [(1, 1, kind, "heartbeat missed"), (2, 1, "completed", None)]


def test_a_postponed_job_is_scheduled_and_used_no_attempt(record: Record, database_url: str) -> None:
    record(enqueued(), event("postponed", 300, attempt=1, error="Unavailable: SMTP", due_ms=SENT_MS + 5_000))

    row = job(database_url)
    assert (row["status"], row["attempts"], row["error"]) == ("scheduled", 0, "Unavailable: SMTP")
    assert [run["outcome"] for run in runs(database_url)] == ["postponed"]


def test_what_comes_after_the_end_changes_nothing(record: Record, database_url: str) -> None:
    record(enqueued(), ended("completed", 300, result="1"))
    before = job(database_url), runs(database_url)

    record(
        event("started", 400, attempt=1, worker="worker-2"),
        event("progress", 400, attempt=1, fraction=0.5, note=""),
        event("lost", 500, attempt=1, reason="late"),
        ended("retry", 600, error="late", due_ms=SENT_MS + 900),
    )

    assert (job(database_url), runs(database_url)) == before


def test_the_same_id_sent_again_is_a_new_life_of_the_job(record: Record, database_url: str) -> None:
    record(enqueued(), ended("completed", 300, result="1"))
    record(enqueued(after_ms=5_000))

    row = job(database_url)
    assert (row["status"], row["result"], row["completed_at"], row["attempts"]) == ("pending", None, None, 0)
    assert row["created_at"] == at(5_000)
    assert len(runs(database_url)) == 1


def test_events_of_a_job_whose_row_was_removed_make_a_small_row(record: Record, database_url: str) -> None:
    # Given a job that retention has removed
    record(enqueued(), failed(900))
    rows(database_url, "DELETE FROM job_logs RETURNING id")

    # When it is replayed and completes
    record(event("replayed", 1_000, message=encoded(tenant_id=42)), ended("completed", 2_000, attempt=4))

    # Then it is in the log again, as far as the events tell
    row = job(database_url)
    assert (row["status"], row["attempts"], row["payload"]) == ("completed", 4, {"tenant_id": 42})
    assert [run["attempt"] for run in runs(database_url)] == [4]


def test_redacted_arguments_are_in_no_column_but_the_message_of_a_dead_letter(
    record: Record, database_url: str
) -> None:
    message = encoded("job-1", ["ada", "sesame"], {"redact": ["password", 1]}, password="sesame", name="ada")
    record(enqueued(message=message), failed(900, message=message))

    shown = {"name": "ada", "password": "[redacted]", "args": ["ada", "[redacted]"]}
    assert job(database_url)["payload"] == shown
    (letter,) = rows(database_url, "SELECT * FROM dead_letters")
    assert letter["payload"] == shown
    assert letter.pop("message").decode() == message
    assert "sesame" not in str(letter) + str(job(database_url))


def test_kinds_of_a_later_version_are_passed_over(record: Record, database_url: str) -> None:
    record(enqueued(), event("teleported", 100), ended("completed", 300))

    assert job(database_url)["status"] == "completed"
