"""The demo's outside world: a real mail server and real endpoints that remember what came."""

from __future__ import annotations

import smtplib

import pytest
import requests

from jobfleet.actors.webhook_signature import body_signature, standard_signature
from jobfleet.cli.smtp_sink import SmtpSink
from jobfleet.cli.webhook_receiver import WebhookReceiver

SECRET = "between us"
EMAIL = "From: a@shop.example\r\nMessage-ID: <7@shop.example>\r\n\r\nHello\r\n"


def mail(sink: SmtpSink, recipient: str) -> None:
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=10) as server:
        server.sendmail("a@shop.example", [recipient], EMAIL)


def deliver(receiver: WebhookReceiver, path: str, *, secret: str = SECRET, webhook_id: str = "job-1") -> int:
    body = b'{"order":"1"}'
    headers = {
        "X-Webhook-Signature": body_signature(secret, body),
        "X-Attempt": "1",
        "webhook-id": webhook_id,
        "webhook-timestamp": "1800000000",
        "webhook-signature": standard_signature([secret], webhook_id, 1_800_000_000, body),
    }
    return requests.post(receiver.url(path), data=body, headers=headers, timeout=10).status_code


def test_the_mail_server_takes_refuses_and_defers() -> None:
    with SmtpSink(refused=["no@x.example"], deferred=["later@x.example"]) as sink:
        # When emails come for someone who takes them, who does not, and who does at the second time
        mail(sink, "yes@x.example")
        for recipient, code in (("no@x.example", 550), ("later@x.example", 451)):
            with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
                mail(sink, recipient)
            assert refusal.value.recipients[recipient][0] == code
        mail(sink, "later@x.example")

        # Then each time is remembered
        seen = [(attempt.recipient, attempt.code, attempt.message_id) for attempt in sink.attempts]
    assert seen == [
        ("yes@x.example", 250, "<7@shop.example>"),
        ("no@x.example", 550, ""),
        ("later@x.example", 451, ""),
        ("later@x.example", 250, "<7@shop.example>"),
    ]


def test_endpoints_count_each_webhook_by_itself_and_can_be_mended() -> None:
    shaky = {"/shaky": lambda earlier: 503 if earlier < 1 else 200, "/broken": lambda earlier: 500}
    with WebhookReceiver(shaky, SECRET) as receiver:
        assert [deliver(receiver, "/shaky", webhook_id=name) for name in ("a", "b", "a", "b")] == [503, 503, 200, 200]
        assert deliver(receiver, "/broken") == 500
        receiver.mend("/broken")
        assert deliver(receiver, "/broken") == 200
        assert deliver(receiver, "/nowhere") == 404
        assert [webhook.status for webhook in receiver.received] == [503, 503, 200, 200, 500, 200, 404]


def test_an_endpoint_knows_a_wrong_signature() -> None:
    with WebhookReceiver({"/healthy": lambda earlier: 200}, SECRET) as receiver:
        assert deliver(receiver, "/healthy", secret="guessed") == 401
        assert [webhook.signed for webhook in receiver.received] == [False]
