"""Emails over a real SMTP server, written down in a real PostgreSQL."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import dramatiq
import psycopg
import pytest
from certificates import Authority
from dramatiq import Message
from dramatiq.brokers.stub import StubBroker
from job_context import running
from mail_receiver import MailReceiver
from own_fleet import own_fleet

from jobfleet.actors import actor, send_bulk_emails, send_email
from jobfleet.actors.email_message import ATTACHMENTS_MAX
from jobfleet.actors.smtp import MailRefused, MailServer
from jobfleet.actors.smtp_url import SmtpUrl
from jobfleet.actors.storage import storage
from jobfleet.broker import FairBroker
from jobfleet.broker.errors import ConfigurationError, PermanentFailure, Unavailable
from jobfleet.broker.settings import settings
from jobfleet.cli.embedded_postgres import EmbeddedPostgres
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


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def use(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("SMTP_URL", url)
    settings.cache_clear()


def send(job_id: str = "", **changes: Any) -> dict[str, Any]:
    email = {"tenant_id": "42", "to": "Ada <ada@example.com>", "subject": "Hello", "body": "Hi Ada", **changes}
    with running(job_id=job_id):
        return send_email(**email)


def rows() -> list[dict[str, Any]]:
    with database().connection() as connection:
        return connection.execute(
            "SELECT job_id, tenant_id, recipient, subject, message_id, status, sent_at FROM sent_emails ORDER BY id"
        ).fetchall()


def parts(mail: EmailMessage) -> dict[str, str]:
    return {
        part.get_content_type(): part.get_content().replace("\r\n", "\n")
        for part in mail.walk()
        if not part.is_multipart()
    }


def test_an_email_goes_out_and_is_written_down(receiver: MailReceiver) -> None:
    result = send("job-1", reply_to="help@example.com")

    assert result == {"sent": True, "message_id": "<job-1@example.com>"}
    (mail,), (envelope,), (row,) = receiver.mails, receiver.envelopes, rows()
    assert (envelope.mail_from, envelope.rcpt_tos) == ("shop@example.com", ["ada@example.com"])
    assert mail["From"] == "Shop <shop@example.com>"
    assert mail["To"] == "Ada <ada@example.com>"
    assert mail["Reply-To"] == "help@example.com"
    assert (mail["Subject"], mail["Message-ID"]) == ("Hello", "<job-1@example.com>")
    assert mail["Date"]
    assert parts(mail) == {"text/plain": "Hi Ada\n"}
    assert row["sent_at"] is not None
    assert {name: row[name] for name in row if name != "sent_at"} == {
        "job_id": "job-1",
        "tenant_id": "42",
        "recipient": "Ada <ada@example.com>",
        "subject": "Hello",
        "message_id": "<job-1@example.com>",
        "status": "sent",
    }


def test_text_and_html_travel_together_in_any_script(receiver: MailReceiver) -> None:
    send(to="Käte <k@müller.example>", subject="Grüße ✓", body="Schöne Grüße ✓", html="<p>Schöne Grüße ✓</p>")

    mail = receiver.mails[0]
    assert mail["Subject"] == "Grüße ✓"
    assert mail["To"].addresses[0].display_name == "Käte"
    assert parts(mail) == {"text/plain": "Schöne Grüße ✓\n", "text/html": "<p>Schöne Grüße ✓</p>\n"}
    assert receiver.envelopes[0].content.isascii()  # type: ignore[union-attr]


def test_a_template_is_filled_in(receiver: MailReceiver) -> None:
    send(body=None, template="message", template_data={"title": "Hello <Ada>", "text": "Welcome"})

    found = parts(receiver.mails[0])
    assert found["text/plain"].startswith("Hello <Ada>")
    assert "<h1 style" in found["text/html"]
    assert "Hello &lt;Ada&gt;" in found["text/html"]


def test_a_template_that_lacks_a_value_fails_for_good_and_nothing_is_written(receiver: MailReceiver) -> None:
    with pytest.raises(PermanentFailure, match="'text' is undefined"):
        send(template="message", template_data={"title": "Hello"})
    assert (receiver.mails, rows()) == ([], [])


def test_files_of_the_tenant_are_attached(receiver: MailReceiver) -> None:
    storage().write("42", "invoices/7.pdf", b"%PDF-1.7")
    storage().write("42", "notes", b"\x00\x01")

    send(
        attachments=[
            {"path": "invoices/7.pdf"},
            {"path": "notes", "filename": "Notizen ä.txt", "content_type": "text/plain"},
        ]
    )

    found = [
        (a.get_filename(), a.get_content_type(), a.get_payload(decode=True))
        for a in receiver.mails[0].iter_attachments()
    ]
    assert found == [("7.pdf", "application/pdf", b"%PDF-1.7"), ("Notizen ä.txt", "text/plain", b"\x00\x01")]


def test_files_of_another_tenant_are_not(receiver: MailReceiver) -> None:
    storage().write("43", "invoices/7.pdf", b"%PDF-1.7")

    with pytest.raises(PermanentFailure, match="tenant 42 has no file"):
        send(attachments=[{"path": "invoices/7.pdf"}])
    assert receiver.mails == []


def test_files_that_are_too_large_together_fail_for_good(receiver: MailReceiver) -> None:
    storage().write("42", "half", b"x" * (ATTACHMENTS_MAX // 2 + 1))

    with pytest.raises(PermanentFailure, match="half has more than"):
        send(attachments=[{"path": "half"}, {"path": "half"}])
    assert receiver.mails == []


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


@pytest.mark.parametrize(
    ("answer", "error"), [("554 spam", PermanentFailure), ("452 full", MailRefused), ("421 bye", Unavailable)]
)
def test_an_email_that_is_refused_as_a_whole(receiver: MailReceiver, answer: str, error: type[Exception]) -> None:
    receiver.data_answer = answer

    with pytest.raises(error, match=f"refused the email: {answer}"):
        send()
    assert (receiver.mails, rows()) == ([], [])


def test_a_mail_server_that_is_away_costs_no_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    with MailReceiver() as gone:
        pass
    use(monkeypatch, gone.url)

    with pytest.raises(Unavailable, match=f"the mail server at 127.0.0.1:{gone.port} is away"):
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
    receiver: MailReceiver, database_url: str, postgres_server: EmbeddedPostgres
) -> None:
    name = urlsplit(database_url).path[1:]

    def shut() -> None:
        with psycopg.connect(postgres_server.url, autocommit=True) as admin:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])

    receiver.on_mail = shut

    result = send("job-1")

    with psycopg.connect(postgres_server.url, autocommit=True) as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert result == {"sent": True, "message_id": "<job-1@example.com>", "recorded": False}
    assert len(receiver.mails) == 1
    assert [row["status"] for row in rows()] == ["intended"]


def test_without_a_mail_server_the_setting_is_named() -> None:
    with pytest.raises(ConfigurationError, match="SMTP_URL is not set"):
        send()


def test_called_as_a_function_it_simply_sends(receiver: MailReceiver) -> None:
    assert send_email(tenant_id=42, to="ada@example.com", subject="Hello", body="Hi")["sent"]
    assert len(receiver.mails) == 1
    assert rows() == []


def test_starttls_and_a_login(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = authority.server_context("localhost", "127.0.0.1")
    with MailReceiver(tls=tls, starttls=True, login=("shop", "p@ss")) as mail:
        rest = f"127.0.0.1:{mail.port}?starttls=true&from=shop@example.com&ca={authority.file}"
        use(monkeypatch, f"smtp://shop:wrong@{rest}")
        with pytest.raises(Unavailable, match="535"):
            send()
        use(monkeypatch, f"smtp://shop:p%40ss@{rest}")
        send()

    assert mail.encrypted == [True]


def test_tls_from_the_first_byte(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    with MailReceiver(tls=authority.server_context("127.0.0.1")) as mail:
        use(monkeypatch, f"smtps://127.0.0.1:{mail.port}?from=shop@example.com&ca={authority.file}")
        send()

    assert mail.encrypted == [True]


def test_a_certificate_of_nobody_known_or_for_another_host_is_not_trusted(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MailReceiver(tls=authority.server_context("127.0.0.1")) as mail:
        use(monkeypatch, f"smtps://127.0.0.1:{mail.port}?from=shop@example.com")
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            send()
    with MailReceiver(tls=authority.server_context("mail.example.com")) as other:
        use(monkeypatch, f"smtps://127.0.0.1:{other.port}?from=shop@example.com&ca={authority.file}")
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            send()


def test_a_server_without_starttls_gets_nothing_in_plain_text(
    receiver: MailReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, f"smtp://127.0.0.1:{receiver.port}?starttls=true&from=shop@example.com")

    with pytest.raises(ConfigurationError, match="asks for what .* does not offer"):
        send()
    assert receiver.mails == []


def test_a_server_that_never_answers_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = SmtpUrl.parse(f"smtp://127.0.0.1:{silent.getsockname()[1]}?from=shop@example.com")
        with pytest.raises(Unavailable, match="timed out"):
            MailServer(url, timeout=0.2).send(EmailMessage(), "ada@example.com")


def test_bulk_emails_are_one_job_each_100_ms_apart(fleet: FairBroker) -> None:
    news = {"subject": "News", "body": "Hi", "priority": 2, "delay": 60_000}

    assert send_bulk_emails(42, [f"user{n}@example.com" for n in range(5)], news) == {"count": 5}

    events = [event for entry in fleet.journal.read("0-0", 1000, 0) for event in entry.events]
    assert [event.detail["due_ms"] - event.at_ms - 60_000 for event in events] == [0, 100, 200, 300, 400]
    assert {event.detail["priority"] for event in events} == {2}
    recipients = [Message.decode(event.detail["message"].encode()).kwargs["to"] for event in events]
    assert recipients == [f"user{n}@example.com" for n in range(5)]


def test_a_whole_fleet_sends(receiver: MailReceiver, fleet: FairBroker) -> None:
    worker = dramatiq.Worker(fleet, queues={"email"}, worker_timeout=100, worker_threads=4)
    worker.start()
    try:
        sent = send_email.send(tenant_id=42, to="ada@example.com", subject="Hello", body="Hi")
        send_bulk_emails(
            "acme",
            ["b@example.com", "c@example.com"],
            {"subject": "News", "template": "message", "template_data": {"title": "News", "text": "Hi"}},
        )
        fleet.join("email", timeout=15_000)
    finally:
        worker.stop()

    assert sorted(envelope.rcpt_tos[0] for envelope in receiver.envelopes) == [
        "ada@example.com",
        "b@example.com",
        "c@example.com",
    ]
    assert {row["job_id"]: row["status"] for row in rows()}[sent.message_id] == "sent"
    assert [row["status"] for row in rows()] == ["sent"] * 3


def test_it_works_on_an_application_s_own_broker(receiver: MailReceiver) -> None:
    stub = StubBroker()
    ours = actor(broker=stub, queue_name="email", actor_name="jobfleet.send_email")(send_email.fn)
    worker = dramatiq.Worker(stub, worker_timeout=100, worker_threads=1)
    worker.start()
    try:
        ours.with_options(priority=1, idempotency_key="order:17").send(
            tenant_id=42, to="ada@example.com", subject="Hello", body="Hi"
        )
        stub.join("email", timeout=10_000)
        worker.join()
    finally:
        worker.stop()
        stub.close()
    assert [mail["Subject"] for mail in receiver.mails] == ["Hello"]
