"""A real SMTP server in a thread, which keeps what it gets and refuses what it is told to."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class MailReceiver:
    """Accepts mail on a free port of the loopback.

    A recipient whose name is in ``answers`` gets that answer. ``data_answer`` is the answer to every email;
    ``lose_answer`` cuts the connection after an email was taken.

    Parameters:
      tls: a context, to speak TLS from the first byte or, with ``starttls``, when asked.
      login: the user and password that it insists on; together with ``starttls``.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: bool = False,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.encrypted: list[bool] = []
        self.answers: dict[str, str] = {}
        self.data_answer = "250 taken"
        self.lose_answer = False
        #: Called for every email that was taken, before the answer.
        self.on_mail: Callable[[], object] = lambda: None
        self._tls, self._starttls, self._login = tls, starttls, login
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def url(self) -> str:
        """What ``SMTP_URL`` must be to reach it in plain text."""
        return f"smtp://127.0.0.1:{self.port}?from=Shop%20%3Cshop@example.com%3E"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, *_: Any) -> str:  # noqa: N802
        answer = self.answers.get(address.partition("@")[0], "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        if self.data_answer.startswith("250"):
            self.envelopes.append(envelope)
            self.encrypted.append(session.ssl is not None or (self._tls is not None and not self._starttls))
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
            self.on_mail()
        if self.lose_answer:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return self.data_answer

    def _authenticate(self, server: SMTP, session: Session, envelope: Envelope, kind: str, given: Any) -> AuthResult:
        assert self._login is not None
        user, password = self._login
        right = isinstance(given, LoginPassword) and given == LoginPassword(user.encode(), password.encode())
        return AuthResult(success=right, handled=False)

    async def _listen(self) -> asyncio.Server:
        options: dict[str, Any] = {}
        if self._tls and self._starttls:
            options |= {"tls_context": self._tls, "require_starttls": True}
        if self._login:
            options |= {"authenticator": self._authenticate, "auth_required": True}
        return await self._loop.create_server(
            lambda: SMTP(self, hostname="mail.example.com", loop=self._loop, **options),
            host="127.0.0.1",
            port=0,
            ssl=self._tls if self._tls and not self._starttls else None,
        )

    async def _stop(self) -> None:
        self._server.close()
        current = asyncio.current_task()
        rest = [job for job in asyncio.all_tasks() if job is not current]
        for job in rest:
            job.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
