"""From a finished run to what settle is told."""

from __future__ import annotations

import traceback
from typing import Any

from dramatiq.broker import MessageProxy
from dramatiq.message import Message

from .errors import Cancelled, LeaseLost
from .lease import Lease

#: Longest error and traceback that travel, in characters.
ERROR_MOST = 2_000
TRACEBACK_MOST = 16_000

#: Milliseconds after which a job of an unknown actor is tried again, and seconds for which it is.
UNKNOWN_ACTOR_PAUSE_MS = 5_000
UNKNOWN_ACTOR_PATIENCE = 600.0

Outcome = tuple[str, list[Any], bytes | None]


def settle_success(lease: Lease, message: MessageProxy) -> Outcome:
    """The outcome of a run that Dramatiq acknowledges.

    A run that raised and was neither enqueued again nor failed would vanish in Dramatiq; here it
    becomes a dead letter.
    """
    error = message._exception
    if no_attempt := _no_attempt(lease, message):
        return no_attempt
    if lease.next_run:
        encoded, delay = lease.next_run
        return "retry", [0, delay, describe(error), _traceback(message, error)], encoded
    if lease.skipped:
        return "skipped", list(lease.result), None
    if error is not None:
        lease.reason = lease.reason or "unhandled"
        return settle_failure(lease, message)
    if lease.reason:
        return settle_failure(lease, message)
    return "completed", list(lease.result), None


def _no_attempt(lease: Lease, message: MessageProxy) -> Outcome | None:
    """The outcome of a run that ended before it could succeed or fail by itself."""
    if isinstance(message._exception, Cancelled):
        return "cancelled", [], None
    if isinstance(message._exception, LeaseLost):
        return "released", ["lease lost"], None
    if lease.released:
        return "released", [lease.released], None
    if lease.postponed:
        delay, why = lease.postponed
        return "postponed", [0, delay, why[:ERROR_MOST]], _encoded(lease, message)
    return None


def settle_failure(lease: Lease, message: MessageProxy) -> Outcome:
    """The outcome of a run whose job is over without success."""
    error = message._exception
    if isinstance(error, Cancelled | LeaseLost) and (no_attempt := _no_attempt(lease, message)):
        return no_attempt
    kind = type(error).__name__ if error is not None else ""
    detail = [
        0,
        describe(error) or lease.error or lease.reason,
        kind,
        _traceback(message, error),
        _reason(lease, message),
    ]
    return "failed", [*detail, *lease.result], _encoded(lease, message)


def _reason(lease: Lease, message: MessageProxy) -> str:
    """Why, in one word; Dramatiq's own Retries does not say it, but has counted."""
    return lease.reason or ("exhausted" if message.options.get("retries") else "failed")


def _encoded(lease: Lease, message: MessageProxy) -> bytes:
    """The message as its run left it; as it came, where a hook has put something into it that cannot travel."""
    try:
        encoded: bytes = message._message.encode()
    except (TypeError, ValueError, RecursionError):
        return lease.message
    return encoded


def failure(lease: Lease, error: Exception) -> Outcome:
    """The outcome of a job whose message could not even be read."""
    return "failed", [0, describe(error), type(error).__name__, "", lease.reason, "", "", 0], lease.message


def unknown_actor(lease: Lease, message: Message[Any]) -> Outcome:
    """The outcome of a job whose actor this process does not know.

    During a rolling deploy another worker knows it, so the job is put back for a while; by the server's
    time, as the workers that try it may have different clocks.
    """
    since_ms = message.options.setdefault("unknown_actor_since", lease.fetched_ms)
    encoded: bytes = message.encode()
    error = f"no worker of queue {lease.job.queue} knows the actor {lease.job.actor}"
    if lease.fetched_ms - since_ms < UNKNOWN_ACTOR_PATIENCE * 1000:
        return "postponed", [0, UNKNOWN_ACTOR_PAUSE_MS, error], encoded
    return "failed", [0, error, "ActorNotFound", "", "unknown_actor", "", "", 0], encoded


def describe(error: BaseException | None) -> str:
    """One line: the type and the text of an error."""
    return _clean(f"{type(error).__name__}: {error}"[:ERROR_MOST]) if error is not None else ""


def _traceback(message: MessageProxy, error: BaseException | None) -> str:
    if error is None:
        return ""
    text = message.options.get("traceback") or "".join(traceback.format_exception(error, limit=30))
    return _clean(str(text)[-TRACEBACK_MOST:])


def _clean(text: str) -> str:
    """The text without halves of surrogate pairs, which no encoding can carry."""
    return text.encode("utf-8", "replace").decode()
