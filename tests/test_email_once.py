"""An email goes out once, whatever goes away in between."""

from __future__ import annotations

from collections.abc import Iterator

import dramatiq
import pytest
from databases import open_again, shut
from journal_events import recording
from journal_events import rows as logged
from mail_receiver import MailReceiver
from own_fleet import own_fleet
from sent_mail import rows, send, use
from wait import eventually

from jobfleet.actors import send_email
from jobfleet.actors.smtp import MailRefused
from jobfleet.broker import FairBroker
from jobfleet.broker.errors import ConfigurationError, PermanentFailure, Unavailable
from jobfleet.broker.settings import settings
from jobfleet.middleware.database import database
from jobfleet.middleware.effects import EffectInDoubt


@pytest.fixture(autouse=True)
def fleet(monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, namespace: str) -> Iterator[FairBroker]:
    """The actors of this process, on this test's own servers."""
    with own_fleet(monkeypatch, DATABASE_URL=database_url, REDIS_URL=redis_url, JOBFLEET_NAMESPACE=namespace) as broker:
        yield broker


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailReceiver]:
    with MailReceiver() as mail:
        use(monkeypatch, mail.url)
        yield mail


def test_a_job_that_runs_again_after_it_sent_is_skipped(receiver: MailReceiver) -> None:
    send("job-1")

    assert send("job-1") == {"skipped": True, "reason": "already_sent"}
    assert len(receiver.mails) == 1


def test_the_attempts_of_a_job_have_one_message_id(receiver: MailReceiver) -> None:
    receiver.lose_answer = True
    with pytest.raises(EffectInDoubt, match="gave no answer to the email"):
        send("job-1")
    assert [row["status"] for row in rows()] == ["intended"]

    receiver.lose_answer = False
    assert send("job-1")["sent"]

    assert [mail["Message-ID"] for mail in receiver.mails] == ["<job-1@example.com>"] * 2
    assert [row["status"] for row in rows()] == ["sent"]


def test_a_run_that_was_cut_short_leaves_a_doubt_that_a_later_refusal_does_not_remove(receiver: MailReceiver) -> None:
    receiver.lose_answer = True
    with pytest.raises(EffectInDoubt):
        send("job-1")
    receiver.lose_answer = False
    receiver.answers["ada"] = "451 come back later"
    with pytest.raises(MailRefused):
        send("job-1")

    assert [row["status"] for row in rows()] == ["in_doubt"]


@pytest.mark.parametrize("answer", ["550 no such user", "553 not here"])
def test_a_recipient_who_does_not_exist_is_final(receiver: MailReceiver, answer: str) -> None:
    receiver.answers["ada"] = answer

    with pytest.raises(PermanentFailure, match=f"refused the recipient ada@example.com: {answer}"):
        send()
    assert (receiver.mails, rows()) == ([], [])


def test_a_recipient_who_cannot_be_reached_now_is_tried_again(receiver: MailReceiver) -> None:
    receiver.answers["ada"] = "450 mailbox busy"

    with pytest.raises(MailRefused, match="450 mailbox busy"):
        send("job-1")
    assert rows() == []

    receiver.answers.clear()
    assert send("job-1")["sent"]


def test_a_mail_server_that_is_away_costs_no_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    with MailReceiver() as gone:
        pass
    use(monkeypatch, gone.url)

    with pytest.raises(Unavailable, match="the mail server at"):
        send()
    assert rows() == []


def test_a_database_that_is_away_costs_no_attempt_and_sends_nothing(
    receiver: MailReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    settings.cache_clear()
    database.cache_clear()

    with pytest.raises(Unavailable, match="PostgreSQL"):
        send()
    assert receiver.mails == []


def test_a_database_that_goes_away_after_the_send_does_not_make_it_happen_again(
    receiver: MailReceiver, database_url: str
) -> None:
    receiver.on_mail = lambda: shut(database_url)

    result = send("job-1")

    open_again(database_url)
    assert result == {"sent": True, "message_id": "<job-1@example.com>", "recorded": False}
    assert len(receiver.mails) == 1
    assert [row["status"] for row in rows()] == ["intended"]


def test_the_record_of_a_send_travels_with_the_job_when_the_database_is_away(
    receiver: MailReceiver, fleet: FairBroker, database_url: str
) -> None:
    # Given a database that goes away as soon as an email is sent
    receiver.on_mail = lambda: shut(database_url)
    worker = dramatiq.Worker(fleet, queues={"email"}, worker_timeout=100, worker_threads=1)
    worker.start()
    try:
        # When a job sends one, it completes all the same
        job = send_email.send(tenant_id=42, to="ada@example.com", subject="Hello", body="Hi")
        eventually(lambda: fleet.stats(["email"])[0].completed == 1, 30)
    finally:
        worker.stop()
    open_again(database_url)
    assert [row["status"] for row in rows()] == ["intended"]

    # And the log catches up, then the row says so as well
    with recording(fleet, database_url):
        eventually(lambda: fleet.journal.read() == [])
    (row,), (log,) = rows(), logged(database_url, "SELECT status, result, completed_at FROM job_logs")
    assert (row["job_id"], row["status"]) == (job.message_id, "sent")
    assert row["message_id"] == log["result"]["message_id"]
    assert row["sent_at"] == log["completed_at"]
    assert (log["status"], log["result"]["recorded"]) == ("completed", False)
    assert len(receiver.mails) == 1


def test_without_a_mail_server_the_setting_is_named() -> None:
    with pytest.raises(ConfigurationError, match="SMTP_URL is not set"):
        send()


def test_called_as_a_function_it_simply_sends(receiver: MailReceiver) -> None:
    assert send_email(tenant_id=42, to="ada@example.com", subject="Hello", body="Hi")["sent"]
    assert len(receiver.mails) == 1
    assert rows() == []
