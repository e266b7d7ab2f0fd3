"""What Dramatiq's consumer threads see: messages of one queue, acknowledged by outcome."""

from __future__ import annotations

import time
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING

from dramatiq.broker import Consumer, MessageProxy
from dramatiq.errors import DecodeError
from dramatiq.message import Message

from .lease import Lease
from .leased_message import LeasedMessage
from .outcome import failure, settle_failure, settle_success, unknown_actor

if TYPE_CHECKING:
    from .worker_process import WorkerProcess


class FairConsumer(Consumer):
    """The consumer of one queue; all consumers of a process share its fetcher."""

    def __init__(self, process: WorkerProcess, queue: str, timeout_ms: int, actors: Container[str]) -> None:
        self.process = process
        self.queue = queue
        self.actors = actors
        self.timeout = timeout_ms / 1000

    def __next__(self) -> MessageProxy | None:
        if self.process.stopping:
            self.process.release_unstarted()
            time.sleep(min(self.timeout, 0.1))
            return None
        lease = self.process.fetcher.take(self.queue, self.timeout)
        return self._decode(lease) if lease else None

    def _decode(self, lease: Lease) -> MessageProxy | None:
        try:
            message = Message.decode(lease.message)
        except DecodeError as error:
            lease.reason = "undecodable"
            self.process.settle(lease, *failure(lease, error))
            return None
        if lease.job.actor not in self.actors:
            self.process.settle(lease, *unknown_actor(lease, message))
            return None
        return LeasedMessage(message, lease)

    def ack(self, message: MessageProxy) -> None:
        """The run is over and did not fail for good: completed, skipped, retried or put off."""
        self.process.settle(message.lease, *settle_success(message.lease, message))

    def nack(self, message: MessageProxy) -> None:
        """The run failed for good: its job becomes a dead letter."""
        self.process.settle(message.lease, *settle_failure(message.lease, message))

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Give back what was not started; no attempt is used."""
        for message in messages:
            self.process.release(message.lease, "not started")
