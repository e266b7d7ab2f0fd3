"""Outcomes of runs, settled in batches by a thread of their own.

1. A worker thread hands over the outcome of its run and takes the next job at once.
2. The settling thread sends what has gathered in one round trip; what comes in during that round
   trip makes the next batch, so a busy process settles many jobs at the price of one.
3. A batch whose reply was lost is sent again under the same number and changes nothing twice.
4. Until a batch is answered, its jobs are vouched for by the heartbeat.
5. No item stops the others: one that cannot travel becomes a dead letter, and one that the server's script
   cannot write, because keys were damaged, is kept and tried again until they are mended.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import redis
from dramatiq.logging import get_logger

from . import progress
from .lease import Lease
from .leases import Leases
from .scripts import Scripts, has_failed, pack
from .settle_items import STILL_RUNNING, Item, dead_instead, encode

#: Most items of one batch.
BATCH = 256
#: Seconds between two batches of a busy process: 5 ms gather about 30 outcomes of no-op jobs,
#: while a single outcome after a pause goes out at once.
#: Of ten jobs of 10 ms at once Redis takes 164 instead of 196 us each; a drain gathers by itself (medians, cores busy).
GATHER = 0.005
#: Seconds after which a run that goes on is told to the journal.
ANNOUNCE_AFTER = 0.2
#: Longest pause between two tries while the server is away, in seconds.
LONGEST_PAUSE = 1.0

#: Seconds after which what the server could not write is tried again.
KEEP = 1.0


class Settlement:
    """The settling thread of one process."""

    def __init__(self, scripts: Scripts, leases: Leases, process: str) -> None:
        self.logger = get_logger(__name__, type(self))
        self.scripts = scripts
        self.leases = leases
        self.process = process
        self._ready = threading.Condition(threading.Lock())
        self._items: list[Item] = []
        self._sending: list[Item] = []
        self._kept: list[Item] = []
        self._again = 0.0
        self._batch = 0
        self._stopping = False
        self._thread: threading.Thread | None = None
        #: Items that came too late: the fleet had given their leases to others.
        self.stale = 0

    def start(self) -> None:
        """Start the thread; a second call changes nothing."""
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="jobfleet-settlement", daemon=True)
        self._thread.start()

    def revive(self) -> None:
        """Put another thread in the place of one that has died, which also sends what that one had in hand."""
        with self._ready:
            if self._thread is None or self._thread.is_alive() or self._stopping:
                return
            self.logger.critical("the settling thread has died; another one takes its place")
            self._items, self._sending = self._sending + self._items, []
            self._start()

    def add(
        self, lease: Lease, kind: str, detail: list[Any], message: bytes | None = None, *, taken_away: bool = False
    ) -> None:
        """Settle a run (or tell of its start) with the next batch; its first outcome holds.

        Parameters:
          lease: the run.
          kind: see ``lua/settle.lua``.
          detail: what the kind asks for; a leading 0 stands for the index of `message`.
          message: the encoded message of the next run or of the dead letter.
          taken_away: it is not the run that says so, which may still go on; nothing that it sends belongs to the job.
        """
        ran_ms = int((time.monotonic() - lease.started) * 1000) if lease.started else 0
        with self._ready:
            if lease.handed_over:
                return
            if not self._items:
                self._ready.notify()
            if kind in STILL_RUNNING:
                self._items.append((lease, kind, ran_ms, detail, None))
                return
            last = progress.forget(lease)
            self._items += self._progress(lease, last) if last else ()
            self._items += [(lease, "effect", 0, [record], None) for record in lease.effects]
            self._items.append((lease, kind, ran_ms, detail, message))
            if taken_away:
                lease.taken_away, lease.sends, lease.group = True, [], None
            lease.handed_over = True
            # A helper thread of the actor may have reported meanwhile; later reports find the run over.
            progress.forget(lease)

    def stop(self, timeout: float) -> None:
        """Settle what is left and stop the thread; gives up after `timeout` seconds."""
        self.revive()
        with self._ready:
            self._stopping = True
            self._ready.notify()
        if self._thread:
            self._thread.join(timeout=timeout)

    def _run(self) -> None:
        last = 0.0
        while True:
            with self._ready:
                if not self._items and not self._stopping:
                    self._ready.wait(ANNOUNCE_AFTER)
                if not self._items and self._stopping:
                    return
            pause = last + GATHER - time.monotonic()
            if pause > 0 and not self._stopping:
                time.sleep(pause)
            for step in (self._announce, self._take_up_kept, self._send_all):
                try:
                    step()
                except Exception:  # (without this thread nothing would ever be settled)
                    self.logger.exception("settling goes on after an error")
            last = time.monotonic()

    def _announce(self) -> None:
        for lease in self.leases.running_unannounced(ANNOUNCE_AFTER):
            lease.announced = True
            self.add(lease, "started", [])
        for lease, news in progress.news(self.leases):
            with self._ready:
                if not lease.handed_over:
                    self._items += self._progress(lease, news)

    @staticmethod
    def _progress(lease: Lease, news: progress.Progress) -> list[Item]:
        """A report, behind the start of its run, with which the log begins anew."""
        items: list[Item] = [(lease, "progress", 0, list(news.take()), None)]
        if not lease.announced:
            lease.announced = True
            items.insert(0, (lease, "started", 0, [], None))
        return items

    def _take_up_kept(self) -> None:
        if self._kept and time.monotonic() >= self._again:
            with self._ready:
                self._items, self._kept = self._kept + self._items, []

    def _send_all(self) -> None:
        while True:
            with self._ready:
                self._sending, self._items = self._items[:BATCH], self._items[BATCH:]
            if not self._sending:
                return
            self._send(self._sending)
            self._sending = []

    def _send(self, batch: list[Item]) -> None:
        """Settle a batch; when it fails as a whole, its items one by one."""
        try:
            self._settle(batch)
        except Exception as error:  # noqa: BLE001 (whatever it is, it must not hold up the others)
            if len(batch) > 1:
                for item in batch:
                    self._send([item])
            elif isinstance(error, redis.RedisError):
                self._keep(batch[0], error)
            else:
                self._give_up(batch[0], error)

    def _keep(self, item: Item, error: Exception) -> None:
        self.logger.error("job %s cannot be settled, trying again: %s", item[0].job.job_id, error)
        self._kept.append(item)
        self._again = time.monotonic() + KEEP

    def _give_up(self, item: Item, error: Exception) -> None:
        """What cannot be packed would fail each time: news are left out, an outcome becomes a dead letter."""
        lease, kind, *_ = item
        self.logger.error("job %s: what is to be settled (%s) cannot travel: %s", lease.job.job_id, kind, error)
        if kind in STILL_RUNNING:
            return
        dead = dead_instead(item, error)
        try:
            self._settle([dead])
        except Exception as again:  # noqa: BLE001 (it must not hold up the others either)
            self._keep(dead, again)

    def _settle(self, batch: list[Item]) -> None:
        """Send a batch until it is answered.

        Raises:
          redis.ResponseError: the script has failed, and would fail again.
          Exception: something of it cannot be packed.
        """
        self._batch += 1
        items, messages = encode(batch)
        request = pack([self.process, self._batch, items])
        pause = 0.05
        while True:
            try:
                self.stale += self.scripts.call("settle", request, *messages)
                break
            except redis.RedisError as error:
                if has_failed(error):
                    raise
                self.logger.warning("%d outcomes are not settled yet, trying again: %s", len(items), error)
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        self.leases.remove([lease for lease, kind, *_ in batch if kind not in STILL_RUNNING])
