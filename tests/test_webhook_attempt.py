"""Webhooks over real HTTP, subscribed and written down in a real PostgreSQL."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler

import pytest
from dramatiq import Retry
from own_fleet import own_fleet
from subscriptions import SECRET, deliver, rows, subscribe
from webhook_receiver import Answer, WebhookReceiver

from jobfleet.actors.public_address import ForbiddenAddress
from jobfleet.actors.webhook_attempt import WebhookFailed
from jobfleet.broker import FairBroker
from jobfleet.broker.errors import PermanentFailure
from jobfleet.broker.settings import settings


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


def test_an_event_arrives_signed_and_is_written_down(receiver: WebhookReceiver) -> None:
    before = int(time.time())
    webhook = subscribe(receiver.url)

    result = deliver(webhook, attempt=3)

    (request,), (row,) = receiver.requests, rows()
    headers = request.headers
    assert json.loads(request.body) == {"id": 7, "name": "Käte"}
    assert headers["content-type"] == "application/json"
    assert (headers["x-event-type"], headers["x-attempt"], headers["webhook-id"]) == ("order.paid", "3", "job-1")
    assert before <= int(headers["webhook-timestamp"]) <= time.time()
    assert headers["x-webhook-signature"] == hmac.new(SECRET.encode(), request.body, hashlib.sha256).hexdigest()
    signed = f"job-1.{headers['webhook-timestamp']}.".encode() + request.body
    digest = hmac.new(b"the new secret", signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert (row["status"], row["http_status"], row["error"], row["attempt"]) == ("success", 200, None, 3)
    assert (row["webhook_id"], row["job_id"], row["tenant_id"], row["event"]) == (webhook, "job-1", "42", "order.paid")
    assert result == {"success": True, "status": 200, "response_time": row["response_time_ms"]}


def test_while_a_secret_is_rotated_there_are_two_signatures(receiver: WebhookReceiver) -> None:
    deliver(subscribe(receiver.url, secret_previous="the old secret"))

    headers, body = receiver.requests[0].headers, receiver.requests[0].body
    new, old = headers["webhook-signature"].split(" ")
    signed = f"job-1.{headers['webhook-timestamp']}.".encode() + body
    assert new == "v1," + base64.b64encode(hmac.new(b"the new secret", signed, hashlib.sha256).digest()).decode()
    assert old == "v1," + base64.b64encode(hmac.new(b"the old secret", signed, hashlib.sha256).digest()).decode()


@pytest.mark.parametrize("status", [300, 307, 400, 401, 404, 429, 500, 503])
def test_whatever_is_not_2xx_is_tried_again(receiver: WebhookReceiver, status: int) -> None:
    receiver.answers = [Answer(status, body=b"no\x00pe"), Answer(204, body=b"")]
    webhook = subscribe(receiver.url)

    with pytest.raises(WebhookFailed, match=f"^the endpoint answered {status}"):
        deliver(webhook, attempt=1)
    assert deliver(webhook, attempt=2)["status"] == 204

    failed, success = rows()
    assert (failed["status"], failed["http_status"], failed["attempt"]) == ("failed", status, 1)
    assert failed["error"].startswith(f"the endpoint answered {status}")
    assert (success["status"], success["http_status"], success["attempt"]) == ("success", 204, 2)


def test_the_last_attempt_says_how_many_there_were(receiver: WebhookReceiver) -> None:
    receiver.answers = [Answer(500, {"Retry-After": "7"}, b"broken")]
    webhook = subscribe(receiver.url)

    with pytest.raises(WebhookFailed, match="^Webhook failed after 5 attempts: the endpoint answered 500: broken$"):
        deliver(webhook, attempt=5)


def test_a_wish_to_come_back_later_is_honoured_up_to_an_hour(receiver: WebhookReceiver) -> None:
    tomorrow = formatdate(time.time() + 86_400, usegmt=True)
    receiver.answers = [Answer(429, {"Retry-After": "7"}), Answer(503, {"Retry-After": tomorrow})]
    webhook = subscribe(receiver.url)

    with pytest.raises(Retry, match="the endpoint answered 429") as soon:
        deliver(webhook)
    with pytest.raises(Retry) as late:
        deliver(webhook, attempt=2)

    assert (soon.value.delay, late.value.delay) == (7_000, 3_600_000)
    assert [row["http_status"] for row in rows()] == [429, 503]


def test_an_endpoint_that_is_gone_is_disabled(receiver: WebhookReceiver) -> None:
    receiver.answers = [Answer(410)]
    webhook = subscribe(receiver.url)

    with pytest.raises(PermanentFailure, match="answered 410 Gone; the webhook is disabled"):
        deliver(webhook)

    (row,) = rows("webhooks")
    assert (row["active"], row["disabled_reason"]) == (False, "the endpoint answered 410 Gone")
    assert row["disabled_at"] is not None
    assert rows()[0]["http_status"] == 410
    assert deliver(webhook, job_id="job-2") == {"skipped": True, "reason": "disabled"}
    assert len(receiver.requests) == 1


def test_a_job_that_has_delivered_does_not_deliver_again(receiver: WebhookReceiver) -> None:
    webhook = subscribe(receiver.url)
    deliver(webhook)

    assert deliver(webhook) == {"skipped": True, "reason": "already_delivered"}
    assert len(receiver.requests) == len(rows()) == 1


def test_an_endpoint_that_is_not_there_is_tried_again() -> None:
    with WebhookReceiver() as gone:
        pass

    with pytest.raises(WebhookFailed, match="Connection refused"):
        deliver(subscribe(gone.url))
    (row,) = rows()
    assert (row["status"], row["http_status"]) == ("failed", None)
    assert "Connection refused" in row["error"]


@pytest.mark.parametrize("line", [b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", b"\x00\xff\x00\r\n\r\n"])
def test_an_answer_that_is_no_http_is_a_failure_like_any_other(receiver: WebhookReceiver, line: bytes) -> None:
    def odd(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(line)
        handler.close_connection = True

    receiver.answers = [Answer(by_hand=odd)]

    with pytest.raises(WebhookFailed):
        deliver(subscribe(receiver.url))
    (row,) = rows()
    assert (row["status"], row["http_status"]) == ("failed", None)
    assert row["error"]


def test_a_private_address_is_refused_for_good_and_written_down(
    receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEBHOOK_ALLOW_NETWORKS")
    settings.cache_clear()

    with pytest.raises(ForbiddenAddress, match="not on the public internet"):
        deliver(subscribe(receiver.url))
    assert receiver.requests == []
    assert [(row["status"], row["http_status"]) for row in rows()] == [("failed", None)]


def test_the_endpoint_of_another_tenant_is_none(receiver: WebhookReceiver) -> None:
    webhook = subscribe(receiver.url, tenant_id="43")

    with pytest.raises(PermanentFailure, match=f"tenant 42 has no webhook {webhook}"):
        deliver(webhook)
    assert receiver.requests == []
