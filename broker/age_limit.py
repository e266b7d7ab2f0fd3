"""``max_age`` judged by the server's time: a worker whose clock is ahead must not let messages expire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dramatiq.broker import Broker
from dramatiq.middleware import AgeLimit, SkipMessage

from .lease import Lease


def judged_by_the_server(limit: AgeLimit) -> Callable[[Broker, Any], None]:
    """What Dramatiq's hook does, with the time that the fetch brought instead of this machine's."""

    def before_process_message(broker: Broker, message: Any) -> None:
        lease: Lease | None = getattr(message, "lease", None)
        max_age = message.options.get("max_age") or broker.get_actor(message.actor_name).options.get("max_age")
        max_age = max_age or limit.max_age
        if not max_age or lease is None:
            return
        if lease.server_ms() - message.message_timestamp >= max_age:
            limit.logger.warning("Message %r has exceeded its age limit.", message.message_id)
            message.fail()
            raise SkipMessage("Message age limit exceeded")

    return before_process_message
