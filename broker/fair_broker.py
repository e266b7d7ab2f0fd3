"""The broker that applications and workers see.

It speaks Dramatiq's language (actors, middleware, consumers, workers) and leaves the moving of jobs
to the pieces beside it: ``admission`` takes them in, ``fetcher`` brings them to a worker, ``leases``
vouches for them and ``settlement`` ends them.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import redis
from dramatiq.broker import Consumer
from dramatiq.errors import ConnectionFailed, QueueJoinTimeout, QueueNotFound
from dramatiq.middleware import GroupCallbacks, Middleware

from .actor_registry import describe_actors
from .around_sends import AroundSends
from .consumer import FairConsumer
from .enqueueing import EnqueueingBroker
from .groups import GroupSizes
from .lease import Lease
from .membership import Introduction
from .settings import settings
from .worker_process import WorkerProcess

if TYPE_CHECKING:
    from dramatiq import Worker

#: Exit status of a process that has lost a thread.
EXIT_UNHEALTHY = 70


class FairBroker(EnqueueingBroker):
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
        super().__init__(url, client, namespace, middleware)
        self._lease_ms = lease_ms
        self._worker: Worker | None = None
        self._process: WorkerProcess | None = None
        self._process_lock = threading.Lock()
        #: This process does nothing but work: Dramatiq's command started it.
        self._dedicated = False

    # Dramatiq's face.

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue; a second time changes nothing. Delays need no queue of their own."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = True
            self.emit_after("declare_queue", queue_name)

    def add_middleware(self, middleware: Middleware, **place: Any) -> None:
        """Add a middleware, by default at the end of the list."""
        if isinstance(middleware, GroupCallbacks):
            middleware.rate_limiter_backend = GroupSizes(self, self.enqueue)
        if isinstance(middleware, AroundSends):
            self.around_sends = middleware
        super().add_middleware(middleware, **place)

    def held(self, job_id: str) -> Lease | None:
        """The lease of a job that this process runs, also when another thread than the run's asks."""
        if lease := super().held(job_id):
            return lease
        process = self._process
        found = process.leases.find(job_id) if process is not None else None
        return found if found is not None and found.started and not found.in_hooks else None

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
            self._process.fetcher.limit(queue_name, prefetch)
            return FairConsumer(self._process, queue_name, timeout, self.actors)

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
            guard_interpreter=self._dedicated,
            memory=self.memory,
            time_limit=self.time_limit,
            on_unhealthy=self._end_unhealthy,
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
        elif signal == "process_boot":
            # Tests emit the signal too; only Dramatiq's command does so in a child of its own.
            self._dedicated = multiprocessing.parent_process() is not None

    def _end_unhealthy(self) -> None:
        """Leave with what has lost a thread; a stuck thread would hold an orderly exit for minutes."""
        if not self._dedicated:
            self.logger.critical("this process has lost a thread and works no more; start it again")
            return
        self._stop_process()
        self.logger.critical("this process has lost a thread and ends")
        logging.shutdown()
        os._exit(EXIT_UNHEALTHY)

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
        """Drop the waiting, held and scheduled jobs of a queue, in bounded slices."""
        self.purge(queue_name)

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
