"""What may stand in an email, refused in the caller."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobfleet.actors import send_bulk_emails, send_email
from jobfleet.actors.email_fields import address, bare_address
from jobfleet.broker.errors import InvalidPayload

GOOD: dict[str, Any] = {"tenant_id": 42, "to": "ada@example.com", "subject": "Hello", "body": "Hi"}


@pytest.mark.parametrize(
    ("written", "kept", "bare"),
    [
        ("ada@example.com", "ada@example.com", "ada@example.com"),
        ("a.d+a@mail.example.com", "a.d+a@mail.example.com", "a.d+a@mail.example.com"),
        ("root@localhost", "root@localhost", "root@localhost"),
        ("Ada Lovelace <ada@example.com>", "Ada Lovelace <ada@example.com>", "ada@example.com"),
        ('"Lovelace, Ada" <ada@example.com>', '"Lovelace, Ada" <ada@example.com>', "ada@example.com"),
        ("Lovelace, Ada <ada@example.com>", '"Lovelace, Ada" <ada@example.com>', "ada@example.com"),
        ("Käte <kaete@müller.example>", "Käte <kaete@xn--mller-kva.example>", "kaete@xn--mller-kva.example"),
    ],
)
def test_an_address_is_kept_as_mail_servers_read_it(written: str, kept: str, bare: str) -> None:
    assert address(written) == kept
    assert address(kept) == kept
    assert bare_address(kept) == bare


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("to", "nobody"),
        ("to", ""),
        ("to", "a@b@c"),
        ("to", "a b@example.com"),
        ("to", "a@example.com, b@example.com"),
        ("to", ["a@example.com"]),
        ("to", None),
        ("to", "a@example.com\nBcc: b@example.com"),
        ("to", "A\r\nBcc: b@example.com <a@example.com>"),
        ("to", "a@-example.com"),
        ("to", "a@" + "x" * 64 + ".com"),
        ("to", "x" * 65 + "@example.com"),
        ("to", "ä@example.com"),
        ("subject", "Hello\nBcc: b@example.com"),
        ("subject", "Hello\rBcc: b@example.com"),
        ("subject", "Hello\x00"),
        ("subject", "x" * 999),
        ("subject", 5),
        ("reply_to", "nobody"),
        ("reply_to", "a@example.com\nX: y"),
        ("body", 5),
        ("body", ""),
        ("html", b"\xff"),
        ("template", "../../etc/passwd"),
        ("template", "welcome.html"),
        ("template", ""),
        ("template_data", ["a"]),
        ("template_data", {"a": object()}),
        ("attachments", "invoice.pdf"),
        ("attachments", [{}]),
        ("attachments", [{"path": "../43/invoice.pdf"}]),
        ("attachments", [{"path": "/etc/passwd"}]),
        ("attachments", [{"path": "a\\..\\b"}]),
        ("attachments", [{"path": "a.pdf", "filename": "a\r\nX: y"}]),
        ("attachments", [{"path": "a.pdf", "content_type": "pdf"}]),
        ("attachments", [{"path": "a.pdf", "content_type": "message/rfc822"}]),
        ("attachments", [{"path": "a.pdf", "url": "http://example.com"}]),
        ("tenant_id", None),
        ("reciever", "a@example.com"),
    ],
)
def test_a_wrong_field_is_refused_by_name(field: str, wrong: object) -> None:
    with pytest.raises(InvalidPayload) as caught:
        send_email.message(**{**GOOD, field: wrong})

    assert caught.value.field == field
    assert field in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_email_that_says_nothing_is_refused() -> None:
    with pytest.raises(InvalidPayload, match="give a body, html or a template") as caught:
        send_email.message(tenant_id=42, to="ada@example.com", subject="Hello")
    assert caught.value.field == "body"


@settings(deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_smuggles_a_header_in(name: str, subject: str) -> None:
    message = None
    with contextlib.suppress(InvalidPayload):
        message = send_email.message(tenant_id=1, to=f"{name} <a@example.com>", subject=subject, body="b")
    if message:
        assert len(str(message.kwargs["to"]).splitlines()) == 1
        assert bare_address(message.kwargs["to"]) == "a@example.com"
        assert len(subject.splitlines()) <= 1


@pytest.mark.parametrize(
    ("recipients", "email", "field"),
    [
        ("ada@example.com", {"subject": "s", "body": "b"}, "recipients"),
        (["ada@example.com", "nobody"], {"subject": "s", "body": "b"}, "recipients"),
        (["ada@example.com"], {"subject": "s", "body": "b", "priority": 10}, "priority"),
        (["ada@example.com"], {"subject": "s", "body": "b", "delay": -1}, "delay"),
        (["ada@example.com"], {"subject": "s\n", "body": "b"}, "subject"),
        (["ada@example.com"], {"subject": "s", "body": "b", "colour": "red"}, "colour"),
    ],
)
def test_a_bulk_send_with_something_wrong_sends_nothing(recipients: Any, email: dict[str, Any], field: str) -> None:
    # No broker is reachable here: whoever got as far as sending would fail differently.
    with pytest.raises(InvalidPayload) as caught:
        send_bulk_emails(42, recipients, email)
    assert caught.value.field == field


def test_the_wrong_one_of_many_recipients_is_named() -> None:
    with pytest.raises(InvalidPayload, match=r"^recipients\[1\]: send_email: to is 'nobody'"):
        send_bulk_emails(42, ["ada@example.com", "nobody"], {"subject": "s", "body": "b"})
