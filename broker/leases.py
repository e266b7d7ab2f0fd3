"""What this process holds and vouches for, and the heartbeat that says so.

1. A fetch adds its jobs here before anyone runs them.
2. Every third of a lease the heartbeat renews the worker's lease and names all that is held.
3. Redis releases what it thinks we hold and we do not name: a lost reply strands nothing.
4. A settle that was answered removes its jobs from here.
5. A worker that was presumed lost is told so, and joins again under a new name.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import redis
from dramatiq.logging import get_logger

from .lease import Lease
from .scripts import Scripts, pack


@dataclass(frozen=True)
class Introduction:
    """What a worker process says of itself when it joins."""

    #: Worker threads of the process.
    threads: int
    queues: tuple[str, ...]
    #: Actor name and its packed description, flat.
    actors: tuple[str | bytes, ...]


class Leases:
    """The leases of one process, and its place among the workers of the fleet."""

    def __init__(self, scripts: Scripts, lease_ms: int) -> None:
        self.logger = get_logger(__name__, type(self))
        self.scripts = scripts
        self.lease_ms = lease_ms
        self._lock = threading.Lock()
        self._held: dict[str, Lease] = {}
        self._unfinished: Counter[str] = Counter()
        self._introduction: Introduction | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._on_room: Callable[[], None] = lambda: None
        #: This process, also under the names it had before it was presumed lost.
        self.process = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.worker = self.process
        self._incarnation = 0
        #: Number of the last fetch whose reply has arrived.
        self.received = 0

    def join(self, introduction: Introduction, on_room: Callable[[], None]) -> None:
        """Register the worker and start its heartbeat.

        Parameters:
          introduction: what the fleet is told.
          on_room: called when a run has finished, that is when there is room for another job.
        """
        self._introduction = introduction
        self._on_room = on_room
        self._register()
        self._thread = threading.Thread(target=self._beat, name="jobfleet-heartbeat", daemon=True)
        self._thread.start()

    def leave(self) -> None:
        """Give back what is left and unregister. A server that is away finds out by the lease."""
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=5)
        try:
            self.scripts.call("leave", self.worker)
        except redis.RedisError as error:
            self.logger.warning("could not say goodbye, the lease will end by itself: %s", error)

    def add(self, number: int, leases: Iterable[Lease]) -> None:
        """Hold what a fetch brought."""
        with self._lock:
            self.received = max(self.received, number)
            for lease in leases:
                self._held[lease.job.job_id] = lease
                self._unfinished[lease.job.queue] += 1

    def finish(self, lease: Lease) -> None:
        """The run is over and its thread is free; the lease is held until it is settled."""
        with self._lock:
            if lease.finished:
                return
            lease.finished = True
            self._unfinished[lease.job.queue] -= 1
        self._on_room()

    def remove(self, leases: Iterable[Lease]) -> None:
        """Let go of what has been settled."""
        with self._lock:
            for lease in leases:
                if self._held.get(lease.job.job_id) is lease:
                    del self._held[lease.job.job_id]

    def unfinished(self, queue: str) -> int:
        """Jobs of a queue that wait for a thread here or run."""
        return self._unfinished[queue]

    def all_unfinished(self) -> int:
        """Jobs of all queues that wait for a thread here or run."""
        return self._unfinished.total()

    def running_unannounced(self, at_least: float) -> list[Lease]:
        """Runs older than `at_least` seconds of which the journal does not know yet."""
        now = time.monotonic()
        with self._lock:
            return [
                lease
                for lease in self._held.values()
                if lease.started and not lease.announced and not lease.finished and now - lease.started >= at_least
            ]

    def rejoin(self) -> None:
        """Join under a new name after the fleet gave this worker up; what it held belongs to others now."""
        with self._lock:
            self._incarnation += 1
            self.worker = f"{self.process}:{self._incarnation}"
            self.received = 0
        self.logger.warning("this worker was presumed lost, it joins again as %s", self.worker)
        self._register()

    def _register(self) -> None:
        if self._introduction is None:
            return
        facts: list[Any] = ["process", self.process, "host", socket.gethostname(), "pid", os.getpid()]
        facts += ["threads", self._introduction.threads, "queues", " ".join(self._introduction.queues)]
        self.scripts.call(
            "register",
            pack([self.worker, self.lease_ms, facts, self._introduction.queues, self._introduction.actors]),
        )

    def _beat(self) -> None:
        while not self._stop.wait(self.lease_ms / 3000):
            try:
                self.beat()
            except redis.RedisError as error:
                self.logger.warning("heartbeat failed: %s", error)

    def beat(self) -> None:
        """Send one heartbeat."""
        with self._lock:
            worker, received = self.worker, self.received
            held = [part for lease in self._held.values() for part in (lease.job.job_id, lease.number)]
            busy = sum(1 for lease in self._held.values() if lease.started and not lease.finished)
        queues = self._introduction.queues if self._introduction else ()
        answer = self.scripts.call("heartbeat", pack([worker, received, held, ["busy", busy], queues]))
        if answer[0] == b"gone" and not self._stop.is_set():
            self.rejoin()
