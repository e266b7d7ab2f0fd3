"""Every error that jobfleet raises of its own accord.

JobfleetError
├── AdmissionError        a send was refused, nothing at all was stored
│   ├── InvalidPayload       the arguments or options are wrong; names the field
│   ├── TenantLimitExceeded  the tenant has sent as much as its plan allows; says when to try again
│   ├── IdempotencyConflict  the key belongs to a job with another payload
│   └── BacklogFull          the fleet, or this tenant's part of it, cannot take more work right now
├── BulkSendBroken        the server went away in the middle of a bulk send; says what became of each message
├── ConfigurationError    a setting, a file or a missing migration; says what to change
├── PermanentFailure      raised by an actor: retrying cannot help, dead-letter at once
└── Unavailable           raised by an actor: something it needs is away, run again later

Interrupts (not errors that an actor should catch) are ``Cancelled`` and ``LeaseLost``.

Admission errors are raised while Dramatiq's hooks run, where any error that is not a
``MiddlewareError`` is logged and swallowed; therefore they are ``MiddlewareError``s too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dramatiq.errors import ConnectionClosed
from dramatiq.message import Message
from dramatiq.middleware import Interrupt, MiddlewareError


class JobfleetError(Exception):
    """Base of every error that jobfleet raises."""


class AdmissionError(JobfleetError, MiddlewareError):
    """A job was refused at the door; nothing was stored."""


class InvalidPayload(AdmissionError):
    """Arguments or options of a job are wrong.

    Parameters:
      message: what was wrong and what is allowed, one sentence.
      field: the name of the argument or option, empty when it is the payload as a whole.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class TenantLimitExceeded(AdmissionError):
    """A tenant has sent as many jobs within a minute as its plan allows.

    Parameters:
      message: which limit.
      retry_after: seconds after which one more job would be admitted, behind all of the tenant that is held.
    """

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class IdempotencyConflict(AdmissionError):
    """An idempotency key was used again for another payload.

    Parameters:
      message: which key.
      job_id: the job that the key belongs to.
    """

    def __init__(self, message: str, *, job_id: str) -> None:
        super().__init__(message)
        self.job_id = job_id


class BacklogFull(AdmissionError):
    """There is no room: the tenant's backlog or the journal is at its cap, or the Redis server nearly out of memory."""


class BulkSendBroken(JobfleetError, ConnectionClosed):
    """The server went away in the middle of a bulk send.

    Parameters:
      message: which server.
      outcomes: for each message what ``enqueue_many`` would have returned; a ``ConnectionClosed`` where nobody knows or
        nothing was sent. Those messages, and no new ones in their places, can be sent again.
    """

    def __init__(self, message: str, outcomes: Sequence[Message[Any] | MiddlewareError | ConnectionClosed]) -> None:
        super().__init__(message)  # type: ignore[no-untyped-call]
        self.outcomes = outcomes


class ConfigurationError(JobfleetError):
    """A setting is wrong or missing; the message says which and what to change."""


class PermanentFailure(JobfleetError):
    """Raised by an actor whose job can never succeed: it is dead-lettered without another attempt."""


class Unavailable(JobfleetError):
    """Something that a job needs (database, mail server, storage) is away.

    The job is postponed and run again; no attempt is used up.

    Parameters:
      message: what is away.
      retry_after: seconds after which to try again, or None for the fleet's own choice (1 to 30 s).
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Cancelled(Interrupt):
    """Raised in a running actor whose job was cancelled; it is not retried."""


class LeaseLost(Interrupt):
    """Raised in a running actor whose worker lost its lease: another worker runs the job, or will."""
