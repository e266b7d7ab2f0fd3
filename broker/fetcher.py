"""Brings jobs into this process, as many as it can start soon.

1. Each consumer thread asks for its queue's next job; what was fetched for it is handed out.
2. When nothing is there, one of the asking threads leads: it fetches for all asking queues at once,
   high tiers first, while the others wait for it.
3. How many: free threads, bounded per queue, plus a look-ahead of what is finished within 20 ms at
   the present pace; slow jobs make that nothing, so no job waits here while another worker is free.
4. With nothing to fetch the leader blocks on the queues' wake tokens until the next due time. A process that
   is full, or stops, gives back the token that it took: another worker must look.
5. A fetch whose reply was lost is repeated under the same number and gives the same jobs.
6. A job that may be what kills workers runs alone: this process then takes nothing else, or first
   becomes empty when it was chosen to run one.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable

import redis
from dramatiq.logging import get_logger

from .job import Job
from .keys import Keys
from .lease import Lease
from .leases import Leases
from .membership import Membership
from .pace import Pace
from .queues import Queue
from .scripts import Scripts, pack, unpack
from .wakeup import Wakeup

#: Seconds between two looks whether everything that is held here is settled.
DRAIN_LOOK = 0.05
#: Seconds to wait before asking a server again that was away.
AWAY_PAUSE = 0.5


class Fetcher:
    """The fetching side of one worker process; safe to use from all its consumer threads."""

    def __init__(
        self,
        *,
        scripts: Scripts,
        leases: Leases,
        membership: Membership,
        wakeup: Wakeup,
        keys: Keys,
        threads: int,
        queue: Callable[[str], Queue],
    ) -> None:
        self.logger = get_logger(__name__, type(self))
        self.scripts = scripts
        self.leases = leases
        self.membership = membership
        self.wakeup = wakeup
        self.keys = keys
        self.threads = threads
        self._queue = queue
        self._changed = threading.Condition(threading.Lock())
        self._ready: defaultdict[str, deque[Lease]] = defaultdict(deque)
        self._askers: Counter[str] = Counter()
        self._leading = False
        self._stopping = False
        self._number = 0
        self._repeat: tuple[str, bytes] | None = None
        self._looked: frozenset[str] = frozenset()
        self._look_at = 0.0
        self._pace = Pace()
        self._ahead = 0
        self._full = False
        self._away = False
        self._draining = False
        self._prefetch: dict[str, int] = {}

    def limit(self, queue: str, prefetch: int) -> None:
        """Hold at most `prefetch` jobs of a queue; Dramatiq's default of twice the threads means no limit."""
        if prefetch < 2 * self.threads:
            with self._changed:
                self._prefetch[queue] = prefetch

    def take(self, queue: str, timeout: float) -> Lease | None:
        """The next job of a queue for this process, or None after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            self._askers[queue] += 1
            try:
                return self._take(queue, deadline)
            finally:
                self._askers[queue] -= 1

    def _take(self, queue: str, deadline: float) -> Lease | None:
        while True:
            left = deadline - time.monotonic()
            if self._stopping:
                self._let_go()
                return None
            if self._ready[queue]:
                return self._ready[queue].popleft()
            if left <= 0:
                return None
            if self._leading:
                self._changed.wait(left)
                continue
            self._leading = True
            try:
                self._lead(deadline)
            finally:
                self._leading = False
                self._changed.notify_all()

    def room(self) -> None:
        """A run has finished: wake the leader if it waits for room and there is enough of it."""
        with self._changed:
            self._pace.finished += 1
            if self._full and (self._draining or self._room() >= max(1, self._ahead // 2)):
                self._changed.notify_all()

    def stop(self) -> list[Lease]:
        """Fetch no more; returns what was fetched and not handed out.

        A fetch that was under way may still bring something: call it again.
        """
        with self._changed:
            self._stopping = True
            unstarted = [lease for leases in self._ready.values() for lease in leases]
            self._ready.clear()
            self._changed.notify_all()
            self._let_go()
        return unstarted

    def _let_go(self) -> None:
        """Give back what the outstanding read has taken, or would yet; called and left with the lock held."""
        if self._leading or not self.wakeup.holds:
            return
        self._leading = True
        self._changed.release()
        try:
            self.wakeup.drop()
        finally:
            self._changed.acquire()
            self._leading = False

    def _lead(self, deadline: float) -> None:
        """Fetch once, or wait for a reason to; called and left with the lock held."""
        wants, total = self._wants()
        if not wants and not self.wakeup.holds:
            self._full = True
            left = deadline - time.monotonic()
            # Nothing tells that the last job here is settled, so a process that empties itself looks.
            self._changed.wait(min(DRAIN_LOOK, left) if self._draining or self.leases.alone else left)
            self._full = False
            return
        asking = frozenset(queue.name for queue, _ in wants)
        wait = self._look_at - time.monotonic() if asking <= self._looked else 0.0
        self._changed.release()
        try:
            if not wants:
                self.wakeup.drop()
                return
            if wait > 0:
                self._sleep(asking, min(wait, deadline - time.monotonic()))
                return
            found = self._fetch(wants, total)
        except redis.RedisError as error:
            self._stay_away(error, deadline)
            return
        finally:
            self._changed.acquire()
        for lease in found:
            self._ready[lease.job.queue].append(lease)
        self._looked = frozenset() if found else asking

    def _wants(self) -> tuple[list[tuple[Queue, int]], int]:
        """How many jobs of which queue to fetch, high tiers first; empty while that is not worth it."""
        if self._draining or self.leases.alone:
            if self.leases.holds_any():
                return [], 0
            self._draining = False
        ahead = self._ahead = self._pace.look_ahead()
        total = self._room()
        if total < max(1, ahead // 2):
            return [], 0
        wants = []
        for name in [name for name, asking in self._askers.items() if asking > 0]:
            queue = self._queue(name)
            room = min(self._most(queue) - self.leases.unfinished(name), total)
            if room > 0:
                wants.append((queue, room))
        wants.sort(key=lambda want: want[0].tier.rank)
        return wants, total

    def _most(self, queue: Queue) -> int:
        """Jobs of a queue that this process may hold; any thread may take what it holds, so a queue
        with fewer runs at once than there are threads gets no look-ahead, nor does one with a rate."""
        if queue.rate_per_second or (queue.concurrency is not None and queue.concurrency < self.threads):
            return min(queue.concurrency or self.threads, self.threads, self._prefetch.get(queue.name, self.threads))
        return min(self.threads + self._ahead, self._prefetch.get(queue.name, sys.maxsize))

    def _room(self) -> int:
        return self.threads + self._ahead - self.leases.all_unfinished()

    def _fetch(self, wants: list[tuple[Queue, int]], total: int) -> list[Lease]:
        if self._repeat is None or self._repeat[0] != self.membership.worker:
            rows = [[q.name, most, q.rate_per_second or 0, q.wait_objective_ms] for q, most in wants]
            self._number += 1
            self._repeat = (self.membership.worker, pack([self.membership.worker, self._number, total, rows]))
        worker, request = self._repeat
        if self.wakeup.holds:
            self.wakeup.look([self.keys.wake(queue.name) for queue, _ in wants])
        answer = self.scripts.call("fetch", request)
        self._repeat = None
        self.wakeup.looked()
        if self._away:
            self._away = False
            self.logger.info("the server is back")
        status, next_ms, jobs = unpack(answer[0])
        if status == "gone":
            self.membership.rejoin(worker)
            return []
        self._draining = status == "drain"
        number, at = self._number, time.monotonic()
        found = [
            Lease(Job(*row[:6]), worker, number, message, alone=row[7] == 1, fetched_ms=int(row[8]), fetched=at)
            for row, message in zip(jobs, answer[1:], strict=True)
        ]
        self.leases.add(self._number, found)
        self._look_at = time.monotonic() + (next_ms / 1000 if next_ms else 3600)
        return found

    def _sleep(self, asking: frozenset[str], seconds: float) -> None:
        """Block until a wake token comes; the next look is at once then."""
        if self.wakeup.wait(tuple(sorted(map(self.keys.wake, asking))), seconds):
            self._look_at = 0.0

    def _stay_away(self, error: redis.RedisError, deadline: float) -> None:
        if not self._away:
            self._away = True
            self.logger.warning("the server is away, looking again each %s s: %s", AWAY_PAUSE, error)
        self._look_at = 0.0
        time.sleep(max(0.0, min(AWAY_PAUSE, deadline - time.monotonic())))
