"""Sending: where a message goes from here, and from where it is sent.

1. From application code, and from an actor's body: to Redis, in one round trip.
2. The id of the very job that runs: that is its next run, a retry, and part of its settle.
3. From a hook that looks at a run that is over (the next stage of a pipeline, a callback): part of the
   settle of that run, so that both happen or neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis
from dramatiq.message import Message
from dramatiq.middleware import Middleware, MiddlewareError

from .admission import admit, admit_from_hook, admit_invalid, send
from .connection import reachable
from .fleet import Fleet
from .lease import Lease, current_lease
from .run_hooks import RunHooks
from .settings import settings


class EnqueueingBroker(Fleet, RunHooks):
    """The sending half of the broker; parameters as in ``FairBroker``."""

    def __init__(
        self,
        url: str | None,
        client: redis.Redis | None,
        namespace: str | None,
        middleware: list[Middleware] | None,
    ) -> None:
        Fleet.__init__(self, url, client, namespace)
        RunHooks.__init__(self, middleware)

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Send a message; from within its own run it becomes the job's next run.

        Raises:
          InvalidPayload: it is not allowed; nothing is stored.
          BacklogFull: there is no room; nothing is stored.
          dramatiq.errors.ConnectionClosed: the server is away.
        """
        lease = current_lease()
        if lease is not None and not lease.handed_over:
            if lease.job.job_id == message.message_id:
                return self._enqueue_next_run(lease, message, delay)
            if lease.in_hooks:
                return self._send_with_settle(lease, message, delay)
        self.emit_before("enqueue", message, delay)
        admitted = admit(message, delay, settings().payload_max)
        with reachable(self.client):
            (refusal,) = send(self.scripts, [admitted], settings().journal_max)
        if refusal is not None:
            raise refusal
        self.emit_after("enqueue", message, delay)
        return message

    def enqueue_many(
        self, messages: Sequence[Message[Any]], *, delay: int | list[int] | None = None
    ) -> list[Message[Any] | MiddlewareError]:
        """Send many messages in few round trips.

        Parameters:
          messages: what to send.
          delay: ms for all of them, or one for each.

        Returns:
          For each message, in order: itself where it was accepted, the error where it was refused.

        Raises:
          dramatiq.errors.ConnectionClosed: the server is away.
        """
        delays = list(delay) if isinstance(delay, list) else [delay] * len(messages)
        outcomes: list[Message[Any] | MiddlewareError] = list(messages)
        admitted = {}
        for index, (message, pause) in enumerate(zip(messages, delays, strict=True)):
            try:
                self.emit_before("enqueue", message, pause)
                admitted[index] = admit(message, pause, settings().payload_max)
            except MiddlewareError as error:
                outcomes[index] = error
        with reachable(self.client):
            refusals = send(self.scripts, list(admitted.values()), settings().journal_max)
        for index, refusal in zip(admitted, refusals, strict=True):
            if refusal is None:
                self.emit_after("enqueue", messages[index], delays[index])
            else:
                outcomes[index] = refusal
        return outcomes

    def _enqueue_next_run(self, lease: Lease, message: Message[Any], delay: int | None) -> Message[Any]:
        self.emit_before("enqueue", message, delay)
        *_, pause, _, encoded = admit(message.copy(), delay, settings().payload_max)
        lease.next_run = (encoded, pause)
        self.emit_after("enqueue", message, delay)
        return message

    def _send_with_settle(self, lease: Lease, message: Message[Any], delay: int | None) -> Message[Any]:
        """Hooks send the next stage of a pipeline, a callback: that is one step with the end of their run."""
        if "tenant_id" not in message.kwargs and "tenant_id" not in message.options:
            message = message.copy(options={"tenant_id": lease.job.tenant_id})
        self.emit_before("enqueue", message, delay)
        lease.sends.append(admit_from_hook(lease, message, delay, settings().payload_max))
        self.emit_after("enqueue", message, delay)
        return message

    def dead_letter_stage(self, message: Message[Any], error: str) -> None:
        """For hooks: what they would send is invalid, so it becomes a dead letter with the settle of their run."""
        lease = current_lease()
        if lease is not None:
            lease.sends.append(admit_invalid(lease, message, error))
