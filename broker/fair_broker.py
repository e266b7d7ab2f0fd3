"""The broker that applications and workers see.

It speaks Dramatiq's language (actors, middleware, consumers, workers) and leaves the moving of jobs
to the pieces beside it: ``admission`` takes them in, ``fetcher`` brings them to a worker, ``leases``
vouches for them and ``settlement`` ends them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import redis
from dramatiq.broker import Consumer
from dramatiq.errors import ConnectionFailed, QueueJoinTimeout, QueueNotFound
from dramatiq.message import Message
from dramatiq.middleware import Middleware, MiddlewareError

from .actor_registry import describe_actors
from .admission import admit, send
from .connection import reachable
from .consumer import FairConsumer
from .fleet import Fleet
from .lease import Lease, current_lease
from .leases import Introduction
from .run_hooks import RunHooks
from .settings import settings
from .worker_process import WorkerProcess

if TYPE_CHECKING:
    from dramatiq import Worker

#: Jobs that one run of the purge script removes.
PURGE_SLICE = 500


class FairBroker(Fleet, RunHooks):
    """A broker on Redis that is fair between tenants, loses nothing and writes a journal.

    Nothing is read or connected before the first send or consume.

    Parameters:
      url: address of the Redis server; ``REDIS_URL`` if None.
      client: a client to use instead of `url`.
      namespace: what all keys begin with, in braces; the configured one (``fleet``) if None.
      middleware: Dramatiq's default list if None, as with any broker.
      lease_ms: ms without a heartbeat after which a worker counts as lost; the configured 15,000 if None.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        client: redis.Redis | None = None,
        namespace: str | None = None,
        middleware: list[Middleware] | None = None,
        lease_ms: int | None = None,
    ) -> None:
        Fleet.__init__(self, url, client, namespace)
        RunHooks.__init__(self, middleware)
        self._lease_ms = lease_ms
        self._worker: Worker | None = None
        self._process: WorkerProcess | None = None
        self._process_lock = threading.Lock()

    # Dramatiq's face.

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue; a second time changes nothing. Delays need no queue of their own."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = True
            self.emit_after("declare_queue", queue_name)

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Send a message; from within its own run it becomes the job's next run.

        Raises:
          InvalidPayload: it is not allowed; nothing is stored.
          BacklogFull: there is no room; nothing is stored.
          dramatiq.errors.ConnectionClosed: the server is away.
        """
        lease = current_lease()
        if lease is not None and lease.job.job_id == message.message_id and not lease.finished:
            return self._enqueue_next_run(lease, message, delay)
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

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 30_000) -> Consumer:
        """A consumer of one queue; the first one makes this process a worker of the fleet.

        Raises:
          dramatiq.errors.QueueNotFound: the queue was never declared.
          dramatiq.errors.ConnectionFailed: the server is away.
        """
        if queue_name not in self.queues:
            raise QueueNotFound(queue_name)
        with self._process_lock:
            if self._process is None or (self._process.stopping and self._worker is None):
                self._process = self._start_process(prefetch)
            return FairConsumer(self._process, queue_name, timeout)

    def _start_process(self, prefetch: int) -> WorkerProcess:
        worker = self._worker
        served = tuple(sorted(self.queues))
        if worker is not None and worker.consumer_whitelist:
            served = tuple(queue for queue in served if queue in worker.consumer_whitelist)
        threads = worker.worker_threads if worker is not None else prefetch
        process = WorkerProcess(
            client=self.client,
            keys=self.keys,
            scripts=self.scripts,
            lease_ms=self._lease_ms or settings().lease_ms,
            threads=threads,
            queue=settings().queue,
            introduction=Introduction(threads, served, describe_actors(self.actors)),
            worker=worker,
        )
        try:
            process.start()
        except redis.RedisError as error:
            raise ConnectionFailed(f"Redis is unreachable: {error}") from None
        return process

    def emit_before(self, signal: str, *args: Any, **kwargs: Any) -> None:
        """Run the hooks of a signal; a worker that shuts down fetches no more before they run."""
        if signal == "worker_boot":
            self._worker = args[0]
        elif signal == "worker_shutdown" and self._process:
            self._process.stop_fetching()
        super().emit_before(signal, *args, **kwargs)

    def emit_after(self, signal: str, *args: Any, **kwargs: Any) -> None:
        """Run the hooks of a signal in reverse; a worker has left the fleet after its last one."""
        super().emit_after(signal, *args, **kwargs)
        if signal == "worker_shutdown":
            self._stop_process()

    def _stop_process(self) -> None:
        process, self._process, self._worker = self._process, None, None
        if process is not None:
            process.stop()

    def close(self) -> None:
        """Leave the fleet, if this process worked for it, and close all connections."""
        self._stop_process()
        if "scripts" in self.__dict__:
            self.scripts.close()
        if "client" in self.__dict__:
            self.client.close()

    def flush(self, queue_name: str) -> None:
        """Drop the waiting and scheduled jobs of a queue, in bounded slices."""
        with reachable(self.client):
            while self.scripts.call("purge", queue_name, PURGE_SLICE) >= PURGE_SLICE:
                pass

    def flush_all(self) -> None:
        """Drop the waiting and scheduled jobs of all declared queues."""
        for queue_name in self.queues:
            self.flush(queue_name)

    def join(self, queue_name: str, *, interval: int = 50, timeout: int | None = None) -> None:
        """Wait until nothing waits, is scheduled or runs in a queue; meant for tests.

        Raises:
          dramatiq.errors.QueueJoinTimeout: `timeout` ms have passed.
        """
        deadline = time.monotonic() + timeout / 1000 if timeout else None
        while self.stats([queue_name])[0].total:
            if deadline and time.monotonic() >= deadline:
                raise QueueJoinTimeout(queue_name)
            time.sleep(interval / 1000)
