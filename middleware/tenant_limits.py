"""Limits of tenants, asked for with each send."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from dramatiq import Broker, Message, Middleware
from dramatiq.errors import ActorNotFound

from ..broker.errors import InvalidPayload
from ..broker.policy import LIMITED, ON_LIMIT
from ..broker.shown import shown


class TenantLimits(Middleware):
    """Middleware with which every job of a tenant counts against its plan.

    The rate and the backlog are judged by the send itself, in the same atomic step that stores the job; no
    server is asked here. The concurrency holds for every job of a tenant, also of those sent without this
    middleware, as soon as the fleet's monitor has published plans.

    >>> @dramatiq.actor(on_limit="delay")
    ... def crunch(tenant_id, day): ...

    Parameters:
      on_limit: what happens beyond the rate when neither actor nor send says: ``reject`` raises
        ``TenantLimitExceeded``, ``delay`` accepts the job and holds it until the rate lets it in.
    """

    def __init__(self, on_limit: str = "reject") -> None:
        self.on_limit = _checked(on_limit)

    @property
    def actor_options(self) -> set[str]:
        """The option ``on_limit``."""
        return {"on_limit"}

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        """Stamp how a job is met whose tenant has reached its limit.

        Raises:
          InvalidPayload: ``on_limit`` is something else than ``reject`` or ``delay``.
        """
        on_limit = message.options.get("on_limit")
        if on_limit is None:
            # One that is sent by name may be known to the fleet only.
            with suppress(ActorNotFound):
                on_limit = broker.get_actor(message.actor_name).options.get("on_limit")
        message.options[LIMITED] = _checked(on_limit) if on_limit is not None else self.on_limit


def _checked(on_limit: object) -> str:
    if not isinstance(on_limit, str) or on_limit not in ON_LIMIT:
        raise InvalidPayload(
            f"on_limit is {shown(on_limit)}; it must be one of {', '.join(ON_LIMIT)}", field="on_limit"
        )
    return on_limit
