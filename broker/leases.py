"""What this process holds, from the reply of a fetch to the answer of a settle."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable

from .lease import Lease


class Leases:
    """The leases of one process; safe to use from all its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, Lease] = {}
        self._unfinished: Counter[str] = Counter()
        #: Called when a run has finished, that is when there is room for another job.
        self.on_room: Callable[[], None] = lambda: None
        #: Number of the last fetch whose reply has arrived.
        self.received = 0
        #: A job is held that must run alone.
        self.alone = False

    def add(self, number: int, leases: Iterable[Lease]) -> None:
        """Hold what a fetch brought."""
        with self._lock:
            self.received = max(self.received, number)
            for lease in leases:
                self._held[lease.job.job_id] = lease
                self._unfinished[lease.job.queue] += 1
                self.alone = self.alone or lease.alone

    def finish(self, lease: Lease) -> None:
        """The run is over and its thread is free; the lease is held until it is settled."""
        with self._lock:
            if lease.finished:
                return
            lease.finished = True
            self._unfinished[lease.job.queue] -= 1
        self.on_room()

    def remove(self, leases: Iterable[Lease]) -> None:
        """Let go of what has been settled."""
        with self._lock:
            for lease in leases:
                if self._held.get(lease.job.job_id) is lease:
                    del self._held[lease.job.job_id]
            if self.alone:
                self.alone = any(lease.alone for lease in self._held.values())

    def forget_fetches(self) -> None:
        """The worker has a new name; its fetches are counted anew."""
        with self._lock:
            self.received = 0

    def vouched(self) -> tuple[int, list[Lease]]:
        """The last fetch that arrived and all that is held, at one moment."""
        with self._lock:
            return self.received, list(self._held.values())

    def holds_any(self) -> bool:
        """Whether anything is held, also what has run and is not settled yet."""
        return bool(self._held)

    def running(self) -> list[Lease]:
        """Leases whose runs have begun and are not over."""
        with self._lock:
            return [lease for lease in self._held.values() if lease.started and not lease.finished]

    def find(self, job_id: str) -> Lease | None:
        """The lease of a job that is held here."""
        return self._held.get(job_id)

    def unfinished(self, queue: str) -> int:
        """Jobs of a queue that wait for a thread here or run."""
        return self._unfinished[queue]

    def all_unfinished(self) -> int:
        """Jobs of all queues that wait for a thread here or run."""
        return self._unfinished.total()

    def running_unannounced(self, at_least: float) -> list[Lease]:
        """Runs older than `at_least` seconds of which the journal does not know yet."""
        now = time.monotonic()
        return [lease for lease in self.running() if not lease.announced and now - lease.started >= at_least]
