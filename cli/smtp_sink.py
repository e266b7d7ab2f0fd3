"""A mail server that delivers nothing and remembers everything."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from email import message_from_bytes
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP

from ..broker.errors import ConfigurationError

#: Seconds that the sink gets to start or to end.
PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class MailAttempt:
    """One time that somebody tried to hand over an email."""

    recipient: str
    #: The server's answer: 250 it took the email, 451 not now, 550 never; 0 when the email never came.
    code: int
    #: Seconds since the epoch.
    at: float
    #: The email's own ``Message-ID``, empty when it was refused before it was sent.
    message_id: str = ""


class SmtpSink:
    """Real SMTP on a free port of the loopback address, in a thread of this process.

    Parameters:
      refused: recipients that are refused for good, with 550.
      deferred: recipients that are refused once, with 451, and taken from then on.
    """

    def __init__(self, *, refused: Collection[str] = (), deferred: Collection[str] = ()) -> None:
        self._refused = frozenset(refused)
        self._deferred = set(deferred)
        self._attempts: list[MailAttempt] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="jobfleet-smtp-sink", daemon=True)
        self._started = threading.Event()
        #: The port on which it listens, once it has started.
        self.port = 0

    @property
    def attempts(self) -> list[MailAttempt]:
        """Every attempt so far, in order."""
        return list(self._attempts)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(PATIENCE_SECONDS):
            raise ConfigurationError(f"the mail sink did not start within {PATIENCE_SECONDS:g} s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)

    async def handle_RCPT(  # noqa: N802 (aiosmtpd looks for this name)
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Judge a recipient."""
        attempt = MailAttempt(recipient=address, code=0, at=time.time())
        if address in self._refused:
            self._attempts.append(replace(attempt, code=550))
            return "550 5.1.1 no such mailbox here"
        if address in self._deferred:
            self._deferred.discard(address)
            self._attempts.append(replace(attempt, code=451))
            return "451 4.7.1 greylisted, try again later"
        self._attempts.append(attempt)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Take an email."""
        message_id = str(message_from_bytes(envelope.content)["Message-ID"] or "")
        for recipient in envelope.rcpt_tos:
            place = max(i for i, seen in enumerate(self._attempts) if seen.recipient == recipient)
            self._attempts[place] = replace(self._attempts[place], code=250, message_id=message_id)
        return "250 OK"

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        listening = self._loop.create_server(self._conversation, "127.0.0.1", 0)
        server = self._loop.run_until_complete(listening)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        self._end_conversations()
        self._loop.close()

    def _conversation(self) -> SMTP:
        # With a name of its own: asking for the machine's may take seconds.
        return SMTP(self, hostname="localhost", loop=self._loop)

    def _end_conversations(self) -> None:
        running = asyncio.all_tasks(self._loop)
        for conversation in running:
            conversation.cancel()
        self._loop.run_until_complete(asyncio.gather(*running, return_exceptions=True))
