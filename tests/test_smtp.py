"""What is said to a real mail server, and what its answers mean."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from certificates import Authority
from mail_receiver import MailReceiver

from jobfleet.actors.smtp import MailRefused, MailServer
from jobfleet.actors.smtp_url import SmtpUrl
from jobfleet.broker.errors import ConfigurationError, PermanentFailure, Unavailable
from jobfleet.middleware.effects import EffectInDoubt


@pytest.fixture
def receiver() -> Iterator[MailReceiver]:
    with MailReceiver() as mail:
        yield mail


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def send(url: str, timeout: float = 10.0) -> None:
    email = EmailMessage()
    email.set_content("Hi")
    MailServer(SmtpUrl.parse(url), timeout=timeout).send(email, "Ada <ada@example.com>")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("550 no such user", PermanentFailure),
        ("553 not here", PermanentFailure),
        ("450 busy", MailRefused),
        ("421 bye", Unavailable),
    ],
)
def test_a_recipient_who_is_refused(receiver: MailReceiver, answer: str, error: type[Exception]) -> None:
    receiver.answers["ada"] = answer

    with pytest.raises(error, match=f"refused the recipient ada@example.com: {answer}"):
        send(receiver.url)
    assert receiver.mails == []


@pytest.mark.parametrize(
    ("answer", "error"), [("554 spam", PermanentFailure), ("452 full", MailRefused), ("421 bye", Unavailable)]
)
def test_an_email_that_is_refused_as_a_whole(receiver: MailReceiver, answer: str, error: type[Exception]) -> None:
    receiver.data_answer = answer

    with pytest.raises(error, match=f"refused the email: {answer}"):
        send(receiver.url)
    assert receiver.mails == []


def test_an_answer_that_is_lost_leaves_a_doubt(receiver: MailReceiver) -> None:
    receiver.lose_answer = True

    with pytest.raises(EffectInDoubt, match="gave no answer to the email"):
        send(receiver.url)
    assert len(receiver.mails) == 1


def test_a_server_that_is_not_there_is_away() -> None:
    with MailReceiver() as gone:
        pass

    with pytest.raises(Unavailable, match=f"the mail server at 127.0.0.1:{gone.port} is away"):
        send(gone.url)


def test_a_server_that_never_answers_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Unavailable, match="timed out"):
        send(f"smtp://127.0.0.1:{silent.getsockname()[1]}?from=shop@example.com", timeout=0.2)


def test_starttls_and_a_login(authority: Authority) -> None:
    tls = authority.server_context("localhost", "127.0.0.1")
    with MailReceiver(tls=tls, starttls=True, login=("shop", "p@ss")) as mail:
        rest = f"127.0.0.1:{mail.port}?starttls=true&from=shop@example.com&ca={authority.file}"
        with pytest.raises(Unavailable, match="535"):
            send(f"smtp://shop:wrong@{rest}")
        send(f"smtp://shop:p%40ss@{rest}")

    assert mail.encrypted == [True]


def test_tls_from_the_first_byte(authority: Authority) -> None:
    with MailReceiver(tls=authority.server_context("127.0.0.1")) as mail:
        send(f"smtps://127.0.0.1:{mail.port}?from=shop@example.com&ca={authority.file}")

    assert mail.encrypted == [True]


def test_a_certificate_of_an_unknown_authority_is_not_trusted(authority: Authority) -> None:
    tls = authority.server_context("127.0.0.1")
    with MailReceiver(tls=tls) as mail, pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        send(f"smtps://127.0.0.1:{mail.port}?from=shop@example.com")


def test_a_certificate_for_another_host_is_not_trusted(authority: Authority) -> None:
    tls = authority.server_context("mail.example.com")
    with MailReceiver(tls=tls) as mail, pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        send(f"smtps://127.0.0.1:{mail.port}?from=shop@example.com&ca={authority.file}")


def test_a_server_without_starttls_gets_nothing_in_plain_text(receiver: MailReceiver) -> None:
    with pytest.raises(ConfigurationError, match=r"asks for what .* does not offer"):
        send(f"smtp://127.0.0.1:{receiver.port}?starttls=true&from=shop@example.com")
    assert receiver.mails == []
