"""This process's place among the workers of the fleet, and the heartbeat that keeps it.

1. Every third of a lease the heartbeat renews the worker's lease and names all that it holds.
2. Redis releases what it thinks we hold and we do not name: a lost reply strands nothing.
3. The answer tells which running jobs were cancelled; they are interrupted.
4. A worker that was presumed lost is told so: it interrupts what it runs, since others run that too,
   and joins again under a new name.
5. Each second it looks whether another worker of this machine has died (``host_lock``).
6. A thread that never speaks to the server watches meanwhile: a process that could not renew for a whole
   lease interrupts what it runs, and one whose interpreter is held ends.
"""

from __future__ import annotations

import faulthandler
import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis
from dramatiq.logging import get_logger

from .errors import Cancelled, LeaseLost
from .host_lock import HostLock
from .interruption import interrupt
from .leases import Leases
from .scripts import Scripts, pack

#: Seconds between two looks at the other workers of this machine.
LOOK_SECONDS = 1.0
#: Seconds between two looks at ourselves.
WATCH_SECONDS = 0.25


@dataclass(frozen=True)
class Introduction:
    """What a worker process says of itself when it joins."""

    #: Worker threads of the process.
    threads: int
    queues: tuple[str, ...]
    #: Actor name and its packed description, flat.
    actors: tuple[str | bytes, ...]


class Membership:
    """One worker process among the workers of a fleet."""

    def __init__(self, scripts: Scripts, leases: Leases, lease_ms: int, introduction: Introduction) -> None:
        self.logger = get_logger(__name__, type(self))
        self.scripts = scripts
        self.leases = leases
        self.lease_ms = lease_ms
        self._introduction = introduction
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobfleet-heartbeat", daemon=True)
        self._watcher = threading.Thread(target=self._watch, name="jobfleet-watch", daemon=True)
        self._renewed = time.monotonic()
        self._lapsed = False
        self._incarnation = 0
        self._rejoining = threading.Lock()
        #: This process, also under the names it had before it was presumed lost.
        self.process = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        #: The name under which it works now.
        self.worker = self.process
        self._lock = HostLock(scripts.prefix)
        #: Called at each heartbeat, before it is sent; for what must be looked at regularly.
        self.before_beat: Callable[[], None] = lambda: None
        #: Percent of the server's memory in use, None if not known; sent with each heartbeat.
        self.memory: Callable[[], int | None] = lambda: None
        #: End the whole process when it holds the interpreter for two leases; for processes that
        #: do nothing but work.
        self.guard_interpreter = False

    def join(self) -> None:
        """Register and start the heartbeat.

        Raises:
          redis.RedisError: the server is away.
        """
        self._register()
        self._guard()
        self._watcher.start()
        self._thread.start()

    def leave(self) -> None:
        """Give back what is left and unregister. A server that is away finds out by the lease."""
        self._stop.set()
        if self._watcher.is_alive():
            self._watcher.join(timeout=5)
        if self.guard_interpreter:
            faulthandler.cancel_dump_traceback_later()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)
        try:
            self.scripts.call("leave", self.worker)
        except redis.RedisError as error:
            self.logger.warning("could not say goodbye, the lease will end by itself: %s", error)
        self._lock.release()

    def rejoin(self, gone: str) -> None:
        """Join under a new name after the fleet gave this worker up; what it held belongs to others now.

        Parameters:
          gone: the name that the fleet does not know. Heartbeat and fetch are told at the same moment; the
            second one finds the name changed, and must not give up the new one, which may hold jobs by now.
            One that has left stays away.
        """
        with self._rejoining:
            if self.worker == gone and not self._stop.is_set():
                self._rejoin()

    def _rejoin(self) -> None:
        self._incarnation += 1
        self.leases.forget_fetches()
        self._lock.release()
        self.worker = f"{self.process}:{self._incarnation}"
        self.logger.warning("this worker was presumed lost, it joins again as %s", self.worker)
        for lease in self.leases.running():
            if lease.worker != self.worker:
                interrupt(lease, LeaseLost)
        self._register()

    def beat(self) -> None:
        """Send one heartbeat.

        Raises:
          redis.RedisError: the server is away.
        """
        self.before_beat()
        worker, memory = self.worker, self.memory()
        received, held = self.leases.vouched()
        named = [part for lease in held if lease.worker == worker for part in (lease.job.job_id, lease.number)]
        busy = sum(1 for lease in held if lease.started and not lease.finished)
        facts = ["busy", busy]
        # The server counts from when it heard us, which is no earlier.
        began = time.monotonic()
        beat = [worker, received, named, facts, self._introduction.queues, memory]
        answer = self.scripts.call("heartbeat", pack(beat))
        self._renewed, self._lapsed = began, False
        if answer[0] == b"gone":
            self.rejoin(worker)
        for job_id in answer[1:]:
            if lease := self.leases.find(job_id.decode()):
                interrupt(lease, Cancelled)

    def _register(self) -> None:
        host = self._lock.take(self.worker)
        facts: list[Any] = ["process", self.process, "host", socket.gethostname(), "pid", os.getpid()]
        facts += ["threads", self._introduction.threads, "queues", " ".join(self._introduction.queues)]
        introduction = [self.worker, self.lease_ms, facts, self._introduction.queues, self._introduction.actors, host]
        began = time.monotonic()
        self.scripts.call("register", pack(introduction))
        self._renewed = began

    def _run(self) -> None:
        period = self.lease_ms / 3000
        next_beat = time.monotonic() + period
        while not self._stop.wait(max(0.0, min(next_beat - time.monotonic(), LOOK_SECONDS))):
            try:
                if time.monotonic() >= next_beat:
                    next_beat = time.monotonic() + period
                    self.beat()
                self._lock.look(self.scripts)
            except Exception as error:  # noqa: BLE001 (whatever it is, the next heartbeat must come)
                self.logger.warning("heartbeat failed: %s", error)

    def _watch(self) -> None:
        """A server that hangs holds the heartbeat for longer than a lease; it must not hold this."""
        while not self._stop.wait(WATCH_SECONDS):
            self._guard()
            self._interrupt_when_lapsed()

    def _interrupt_when_lapsed(self) -> None:
        if self._lapsed or time.monotonic() - self._renewed < self.lease_ms / 1000:
            return
        self._lapsed = True
        self.logger.warning("no heartbeat arrived for a whole lease: interrupting what runs here")
        for lease in self.leases.running():
            interrupt(lease, LeaseLost)

    def _guard(self) -> None:
        """A job that holds the interpreter keeps the watch from coming here: then the timer ends the process."""
        if self.guard_interpreter and sys.__stderr__ is not None:
            # Dramatiq puts a pipe with a format of its own in the place of sys.stderr.
            faulthandler.dump_traceback_later(self.lease_ms / 500, exit=True, file=sys.__stderr__)
