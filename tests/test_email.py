"""Emails over a real SMTP server, written down in a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage

import dramatiq
import pytest
from dramatiq import Message
from dramatiq.brokers.stub import StubBroker
from mail_receiver import MailReceiver
from own_fleet import own_fleet
from sent_mail import rows, send, use

from jobfleet.actors import actor, send_bulk_emails, send_email
from jobfleet.actors.email_message import ATTACHMENTS_MAX
from jobfleet.actors.storage import storage
from jobfleet.broker import FairBroker
from jobfleet.broker.errors import PermanentFailure


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
