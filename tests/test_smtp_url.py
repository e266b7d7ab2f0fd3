"""SMTP_URL: what it may be, and what is said when it is something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobfleet.actors.smtp_url import SmtpUrl
from jobfleet.broker.errors import ConfigurationError


def test_a_whole_url_is_taken_apart(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()

    smtp = SmtpUrl.parse(
        "smtp://shop%40example.com:p%40ss@mail.example.com:587"
        f"?starttls=true&from=Shop%20%3Cshop@example.com%3E&ca={authority}"
    )

    assert smtp == SmtpUrl(
        host="mail.example.com",
        port=587,
        user="shop@example.com",
        password="p@ss",
        tls=False,
        starttls=True,
        sender="Shop <shop@example.com>",
        ca=str(authority),
    )
    assert smtp.address == "mail.example.com:587"
    assert "p@ss" not in repr(smtp)


@pytest.mark.parametrize(
    ("url", "port", "encrypted"),
    [
        ("smtp://mail.example.com?from=a@b.de", 25, False),
        ("smtps://mail.example.com?from=a@b.de", 465, True),
        ("smtp://mail.example.com/?from=a@b.de&starttls=false", 25, False),
        ("smtp://[::1]:2525?from=a@b.de", 2525, False),
    ],
)
def test_what_is_left_out_has_its_usual_value(url: str, port: int, encrypted: bool) -> None:
    smtp = SmtpUrl.parse(url)

    assert (smtp.port, smtp.encrypted) == (port, encrypted)


def test_a_user_that_is_an_address_is_the_sender() -> None:
    assert SmtpUrl.parse("smtps://shop%40example.com:x@mail.example.com").sender == "shop@example.com"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (None, "SMTP_URL is not set; it must look like smtp://"),
        ("", "SMTP_URL is not set"),
        ("http://mail.example.com", "cannot be read"),
        ("mail.example.com:25", "cannot be read"),
        ("smtp://", "cannot be read"),
        ("smtp://mail.example.com/path?from=a@b.de", "cannot be read"),
        ("smtp://mail.example.com:many?from=a@b.de", "wrong host or port"),
        ("smtp://mail.example.com:99999?from=a@b.de", "wrong host or port"),
        ("smtp://mail.example.com", "no from; add the sender's address"),
        ("smtp://mail.example.com?from=nobody", "from=nobody; add the sender's address"),
        ("smtp://mail.example.com?from=a@b.de&startls=true", "a parameter startls; did you mean starttls?"),
        ("smtp://mail.example.com?from=a@b.de&colour=red", "allowed are ca, from, starttls"),
        ("smtp://mail.example.com?from=a@b.de&starttls=yes", "starttls=yes; allowed are true and false"),
        ("smtp://mail.example.com?from=a@b.de&from=c@d.de", "the parameter from twice"),
        ("smtps://mail.example.com?from=a@b.de&starttls=true", "they exclude each other"),
        ("smtp://mail.example.com?from=a@b.de&ca=/nowhere", "ca=/nowhere, which is no file"),
        ("smtp://u:secret@mail.example.com?from=a@b.de", "would send the password unencrypted"),
    ],
)
def test_a_wrong_url_is_one_clear_sentence(url: str | None, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SmtpUrl.parse(url)

    assert sentence in str(caught.value)
    assert "secret" not in str(caught.value)
