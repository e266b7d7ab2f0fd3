"""The parts of a worker process, started when the first queue is consumed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import redis
from dramatiq import Worker
from dramatiq.common import iter_queue
from dramatiq.middleware import Interrupt

from .fetcher import Fetcher
from .health import Health
from .keys import Keys
from .lease import Lease
from .leases import Leases
from .membership import Introduction, Membership
from .memory import Memory
from .queues import Queue
from .scripts import Scripts
from .settlement import Settlement
from .wakeup import Wakeup

#: Seconds that a stopping process goes on trying to settle what has finished.
SETTLE_PATIENCE = 30.0


class WorkerProcess:
    """Leases, fetcher and settlement of one process, and the order in which they start and stop."""

    def __init__(
        self,
        *,
        client: redis.Redis,
        keys: Keys,
        scripts: Scripts,
        lease_ms: int,
        threads: int,
        queue: Callable[[str], Queue],
        introduction: Introduction,
        worker: Worker | None,
        guard_interpreter: bool,
        memory: Memory,
        time_limit: Callable[[Lease], float | None],
        on_unhealthy: Callable[[], None],
    ) -> None:
        self.leases = Leases()
        self.membership = Membership(scripts, self.leases, lease_ms, introduction)
        self.settlement = Settlement(scripts, self.leases, self.membership.process)
        self.fetcher = Fetcher(
            scripts=scripts,
            leases=self.leases,
            membership=self.membership,
            wakeup=Wakeup(client, keys.nudge(self.membership.process)),
            keys=keys,
            threads=threads,
            queue=queue,
        )
        self.stopping = False
        self._worker = worker
        self._health = Health(self.leases, self.settle, time_limit, self.stop_fetching, on_unhealthy)
        self.leases.on_room = self.fetcher.room
        self.membership.before_beat = self._look
        self.membership.memory = memory.percent
        self.membership.guard_interpreter = guard_interpreter
        self._release_lock = threading.Lock()

    def start(self) -> None:
        """Join the fleet.

        Raises:
          redis.RedisError: the server is away.
        """
        self.membership.join()
        self.settlement.start()

    def _look(self) -> None:
        """Look after what must go on; called with each heartbeat."""
        self.settlement.revive()
        self._health.look()

    def settle(
        self, lease: Lease, kind: str, detail: list[Any], message: bytes | None = None, *, taken_away: bool = False
    ) -> None:
        """Hand over the outcome of a run; its thread is free from here on. The first outcome holds."""
        while True:
            try:
                self.settlement.add(lease, kind, detail, message, taken_away=taken_away)
                self.leases.finish(lease)
                return
            except Interrupt:
                # It was meant for the run, which is over. Let through, it would end Dramatiq's thread
                # with the job unacknowledged.
                continue

    def release(self, lease: Lease, reason: str) -> None:
        """Give a job back to the front of its line."""
        self.settle(lease, "released", [reason], taken_away=True)

    def stop_fetching(self) -> None:
        """Fetch no more and give back at once what has not started."""
        self.stopping = True
        self.release_unstarted()

    def release_unstarted(self) -> None:
        """Give back what stands between the fetcher and the worker threads.

        A fetch under way may bring more, and a consumer thread may put one more message before the
        worker threads, after both were emptied; Dramatiq would look at them only when all running
        jobs have ended. So stopping consumers come here again.
        """
        with self._release_lock:
            for lease in self.fetcher.stop():
                self.release(lease, "shutdown")
            if self._worker is None:
                return
            for item in iter_queue(self._worker.work_queue):
                self.release(item.message.lease, "shutdown")
                self._worker.work_queue.task_done()

    def stop(self) -> None:
        """Settle what has finished and leave the fleet."""
        self.stop_fetching()
        self.settlement.stop(SETTLE_PATIENCE)
        self.fetcher.wakeup.drop()
        self.membership.leave()
