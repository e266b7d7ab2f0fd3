"""Hands emails to the mail server that ``SMTP_URL`` names.

``smtp://user:password@host:587?starttls=true&from=Shop <shop@example.com>`` or ``smtps://...`` for TLS from the
first byte. ``ca=`` names a file with the certificates of a private authority. The URL's parts are percent-encoded.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from functools import lru_cache

from ..broker.errors import ConfigurationError, PermanentFailure, Unavailable
from ..middleware.effects import EffectInDoubt
from .email_fields import bare_address
from .smtp_url import SmtpUrl

#: Seconds that each step of the conversation may take.
TIMEOUT_SECONDS = 15.0


class MailRefused(Exception):
    """The mail server does not take an email now, and may take it later."""


class MailServer:
    """One mail server; every email has a connection of its own."""

    def __init__(self, url: SmtpUrl, timeout: float = TIMEOUT_SECONDS) -> None:
        self._url = url
        self._timeout = timeout

    @property
    def sender(self) -> str:
        """The address that emails come from."""
        return self._url.sender

    def send(self, message: EmailMessage, recipient: str) -> None:
        """Hand one email over.

        Raises:
          PermanentFailure: the server will never take it (it answered 5xx).
          MailRefused: the server does not take it now (it answered 4xx).
          Unavailable: the server cannot be reached, or lets nobody in.
          EffectInDoubt: the connection was lost before the server said whether it took the email.
        """
        content = message.as_bytes()
        with self.connected() as server:
            _envelope(server, bare_address(self.sender), bare_address(recipient))
            _data(server, content)

    @contextmanager
    def connected(self) -> Iterator[smtplib.SMTP]:
        """A connection on which we are let in, for as long as the block; also to see whether we are.

        Raises:
          ConfigurationError: the server does not offer what ``SMTP_URL`` asks for.
          Unavailable: the server cannot be reached, or lets nobody in.
        """
        try:
            server = self._open()
        except smtplib.SMTPNotSupportedError as error:
            raise ConfigurationError(f"SMTP_URL asks for what {self._url.address} does not offer: {error}") from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unavailable(f"the mail server at {self._url.address} is away: {_said(error)}") from error
        try:
            yield server
        finally:
            _leave(server)

    def _open(self) -> smtplib.SMTP:
        tls = ssl.create_default_context(cafile=self._url.ca) if self._url.encrypted else None
        host, port = self._url.host, self._url.port
        if tls and not self._url.starttls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, _own_name(), timeout=self._timeout, context=tls)
        else:
            server = smtplib.SMTP(host, port, _own_name(), timeout=self._timeout)
        try:
            if tls and self._url.starttls:
                server.starttls(context=tls)
            if self._url.user:
                server.login(self._url.user, self._url.password)
        except BaseException:
            server.close()
            raise
        return server


@lru_cache(maxsize=1)
def _own_name() -> str:
    """How this machine greets; asked once, as the question may wait for a name server."""
    name = socket.getfqdn()
    return name if "." in name else "[127.0.0.1]"


def _envelope(server: smtplib.SMTP, sender: str, recipient: str) -> None:
    """Say who it is from and for; nothing is sent yet."""
    try:
        server.ehlo_or_helo_if_needed()
        _check(*server.mail(sender), f"sender {sender}")
        _check(*server.rcpt(recipient), f"recipient {recipient}")
    except smtplib.SMTPException as error:
        raise Unavailable(f"the mail server broke off: {_said(error)}") from error
    except OSError as error:
        raise Unavailable(f"the mail server fell silent: {_said(error)}") from error


def _data(server: smtplib.SMTP, content: bytes) -> None:
    """Send the email itself; from the last byte until the answer nobody can know whether it was taken."""
    try:
        code, text = server.data(content)
    except smtplib.SMTPDataError as error:
        _check(error.smtp_code, error.smtp_error, "email")
    except (smtplib.SMTPException, OSError) as error:
        raise EffectInDoubt(f"the mail server gave no answer to the email: {_said(error)}") from error
    else:
        _check(code, text, "email")


def _check(code: int, text: bytes | str, what: str) -> None:
    if code in (250, 251):
        return
    answer = text.decode(errors="replace") if isinstance(text, bytes) else text
    sentence = f"the mail server refused the {what}: {code} {answer}"
    if code == 421:
        raise Unavailable(sentence)
    raise PermanentFailure(sentence) if 500 <= code <= 599 else MailRefused(sentence)


def _leave(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        # What was to be said was said; a goodbye that fails changes nothing.
        server.close()


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return f"{error.smtp_code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"
    return str(error) or type(error).__name__
