"""Middleware that interrupts a run at its queue's time limit."""

from __future__ import annotations

import threading
from typing import Any

from dramatiq import Broker
from dramatiq.broker import MessageProxy
from dramatiq.middleware import TimeLimit

from ..broker.settings import settings


class QueueTimeLimit(TimeLimit):
    """Middleware that takes the time limit from the queue table where actor and message set none."""

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Start the clock of a run."""
        actor = broker.get_actor(message.actor_name)
        limit = message.options.get("time_limit") or actor.options.get("time_limit")
        manager: Any = self.manager
        manager.add_timeout(threading.get_ident(), limit or self.limit_ms(message.queue_name))

    def limit_ms(self, queue_name: str) -> float:
        """Milliseconds that a run may take where neither message nor actor says it."""
        return settings().queue(queue_name).time_limit_ms
