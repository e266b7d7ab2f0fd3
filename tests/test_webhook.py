"""From an event to the jobs of the endpoints that want it."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import dramatiq
import pytest
from databases import open_again, shut
from dramatiq import Message
from job_context import running
from journal_events import recording
from own_fleet import own_fleet
from subscriptions import SECRET, deliver, rows, subscribe
from wait import eventually
from webhook_receiver import Answer, WebhookReceiver

from jobfleet.actors import trigger_webhook, trigger_webhooks_for_event
from jobfleet.broker import FairBroker
from jobfleet.broker.errors import InvalidPayload, Unavailable
from jobfleet.broker.settings import settings
from jobfleet.middleware.database import database


@pytest.fixture(autouse=True)
def fleet(monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, namespace: str) -> Iterator[FairBroker]:
    """The actors of this process, on this test's own servers."""
    with own_fleet(
        monkeypatch,
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        JOBFLEET_NAMESPACE=namespace,
        WEBHOOK_ALLOW_NETWORKS="127.0.0.1/32",
    ) as broker:
        yield broker


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as http:
        yield http


def sent(broker: FairBroker) -> list[Message[Any]]:
    """Every message that was accepted, from the journal."""
    events = [event for entry in broker.journal.read("0-0", 1000, 0) for event in entry.events]
    return [Message.decode(event.detail["message"].encode()) for event in events if event.kind == "enqueued"]


def test_a_database_that_is_away_costs_no_attempt(receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    webhook = subscribe(receiver.url)
    database().close()
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    settings.cache_clear()
    database.cache_clear()

    with pytest.raises(Unavailable):
        deliver(webhook)
    with pytest.raises(Unavailable):
        trigger_webhooks_for_event(42, "order.paid", {})
    assert receiver.requests == []


def test_an_event_becomes_one_job_for_each_endpoint_that_wants_it(fleet: FairBroker) -> None:
    wanted = [
        subscribe("https://a.example/"),
        subscribe("https://b.example/", events=["order.paid", "order.sent"]),
    ]
    subscribe("https://c.example/", events=["order.sent"])
    subscribe("https://d.example/", active=False)
    subscribe("https://e.example/", tenant_id="43")

    assert trigger_webhooks_for_event(42, "order.paid", {"id": 7}) == {"webhooks": 2}

    jobs = sent(fleet)
    assert sorted(job.kwargs["webhook_id"] for job in jobs) == wanted
    assert all(job.kwargs["payload"] == {"id": 7} and job.kwargs["tenant_id"] == "42" for job in jobs)
    assert not any(SECRET in job.encode().decode() for job in jobs)
    assert trigger_webhooks_for_event(42, "user.left", {}) == {"webhooks": 1}
    assert trigger_webhooks_for_event(44, "order.paid", {}) == {"webhooks": 0}


def test_without_an_endpoint_the_job_sends_the_jobs_and_a_second_run_sends_no_others(fleet: FairBroker) -> None:
    subscribe("https://a.example/")
    subscribe("https://b.example/")

    for _ in range(2):
        with running(job_id="job-1", queue="webhook"):
            assert trigger_webhook(tenant_id="42", event="order.paid", payload={}) == {"webhooks": 2}

    assert len(sent(fleet)) == 2


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("tenant_id", None),
        ("event", ""),
        ("event", "order paid"),
        ("event", "order.paid\r\nX: y"),
        ("event", "x" * 129),
        ("event", None),
        ("payload", None),
        ("payload", [1]),
        ("payload", {"a": object()}),
        ("payload", {"a": float("nan")}),
        ("payload", {1: 2}),
    ],
)
def test_a_wrong_field_is_refused_by_name(field: str, wrong: object) -> None:
    arguments: dict[str, Any] = {"tenant_id": 42, "event": "order.paid", "payload": {}, field: wrong}

    for send in (trigger_webhook.message, trigger_webhooks_for_event):
        with pytest.raises(InvalidPayload) as caught:
            send(**arguments)
        assert caught.value.field == field


def test_an_endpoint_is_named_by_number() -> None:
    with pytest.raises(InvalidPayload) as caught:
        trigger_webhook.message(tenant_id=42, event="a", payload={}, webhook_id="https://example.com")  # type: ignore[arg-type]
    assert caught.value.field == "webhook_id"


def test_an_endpoint_that_said_it_is_gone_is_not_asked_again_when_that_could_not_be_written_down(
    receiver: WebhookReceiver, fleet: FairBroker, database_url: str
) -> None:
    # Given an endpoint that is gone, and a database that goes away when it says so
    webhook = subscribe(receiver.url)

    def gone(handler: BaseHTTPRequestHandler) -> None:
        shut(database_url)
        Answer(410).give(handler)

    receiver.answers = [Answer(by_hand=gone), Answer(410)]
    worker = dramatiq.Worker(fleet, queues={"webhook"}, worker_timeout=100, worker_threads=1)
    worker.start()
    try:
        # When its job has been put off, and the database is back
        trigger_webhook.send(tenant_id=42, event="order.paid", payload={}, webhook_id=webhook)
        eventually(lambda: fleet.stats(["webhook"])[0].delayed == 1, 30)
        open_again(database_url)

        # Then the endpoint is disabled without being asked once more
        eventually(lambda: fleet.stats(["webhook"])[0].failed == 1, 30)
    finally:
        worker.stop()
    assert len(receiver.requests) == 1
    assert [row["active"] for row in rows("webhooks")] == [False]
    (letter,) = fleet.dead_letters.list(queue="webhook")
    assert "gone" in letter.error.lower()
    assert "webhook_gone" not in Message.decode(letter.message).options, (
        "a replay asks an endpoint that was enabled again"
    )

    # And the attempt is written down, by the recorder
    assert rows() == []
    with recording(fleet, database_url):
        eventually(lambda: fleet.journal.read() == [])
    assert [(row["status"], row["http_status"], row["webhook_id"]) for row in rows()] == [("failed", 410, webhook)]


def test_a_whole_fleet_delivers(receiver: WebhookReceiver, fleet: FairBroker) -> None:
    subscribe(receiver.url)
    receiver.answers = [Answer(200)]
    worker = dramatiq.Worker(fleet, queues={"webhook"}, worker_timeout=100, worker_threads=2)
    worker.start()
    try:
        message = trigger_webhook.send(tenant_id=42, event="order.paid", payload={"id": 7})
        fleet.join("webhook", timeout=15_000)
    finally:
        worker.stop()

    (request,) = receiver.requests
    assert request.headers["webhook-id"] != message.message_id
    assert request.headers["x-attempt"] == "1"
    assert [row["status"] for row in rows()] == ["success"]
