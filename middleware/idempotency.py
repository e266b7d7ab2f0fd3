"""Keys that make a job sent twice one job."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from dramatiq import Broker, Message, Middleware
from dramatiq.errors import ActorNotFound

from ..broker.errors import InvalidPayload
from ..broker.policy import KEY_TTL
from ..broker.shown import shown

#: For how long a key is remembered after its job completed.
DEFAULT_TTL = timedelta(hours=24)
#: The longest time for which it may be.
LONGEST_TTL = timedelta(days=365)


class Idempotency(Middleware):
    """Middleware that makes ``idempotency_key`` protect.

    A key belongs to a tenant and an actor. The same key again while its job waits, runs or is dead, and for a
    while after it completed, sends nothing: the message that comes back carries the first job's id and
    ``options["duplicate"]``. With other arguments it is an ``IdempotencyConflict``. A job that was cancelled
    or discarded frees its key.

    What it does not promise: that the job runs once. Delivery is at least once; an effect outside is guarded
    where it happens, see ``effects``.

    >>> send_email.with_options(idempotency_key="order:17").send(tenant_id=42, to=..., subject=...)

    Parameters:
      ttl: for how long a key is remembered after its job completed; actor and send may say it themselves as
        ``idempotency_ttl``.
    """

    def __init__(self, ttl: timedelta = DEFAULT_TTL) -> None:
        self.ttl_ms = _milliseconds(ttl)

    @property
    def actor_options(self) -> set[str]:
        """The option ``idempotency_ttl``: seconds or a timedelta."""
        return {"idempotency_ttl"}

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        """Stamp for how long a message's key holds.

        Raises:
          InvalidPayload: ``idempotency_ttl`` is no duration from a millisecond to a year.
        """
        given = message.options.get("idempotency_ttl")
        if given is None and message.options.get("idempotency_key"):
            # One that is sent by name may be known to the fleet only.
            with suppress(ActorNotFound):
                given = broker.get_actor(message.actor_name).options.get("idempotency_ttl")
        ttl_ms = self.ttl_ms if given is None else _milliseconds(given)
        if message.options.get("idempotency_key"):
            message.options[KEY_TTL] = ttl_ms
        if isinstance(given, timedelta) and "idempotency_ttl" in message.options:
            # The message travels as JSON.
            message.options["idempotency_ttl"] = given.total_seconds()


def _milliseconds(ttl: object) -> int:
    seconds = ttl.total_seconds() if isinstance(ttl, timedelta) else ttl
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, int | float)
        or not 0.001 <= seconds <= LONGEST_TTL.total_seconds()
    ):
        raise InvalidPayload(
            f"idempotency_ttl is {shown(ttl)}; it must be seconds from 0.001 to {LONGEST_TTL.days} days, or a timedelta",
            field="idempotency_ttl",
        )
    return int(seconds * 1000)
