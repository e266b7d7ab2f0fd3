"""A fleet in which something happens for every panel of every dashboard, and a Prometheus that sees it happen."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import dramatiq
from dramatiq import Message, Worker
from house import HOUSE
from http_client import Client
from journal_events import append
from processes import Process
from published_limits import plain_sql, published
from scripted_worker import ScriptedWorker
from wait import eventually, present

from jobfleet.broker import FairBroker
from jobfleet.broker.errors import AdmissionError
from jobfleet.middleware.idempotency import Idempotency
from jobfleet.middleware.job_log import JobLog
from jobfleet.middleware.tenant_limits import TenantLimits

#: Two groups of the same two monitors: one as a fleet without a name is scraped, one that the scrape gives a name to.
PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: jobfleet-monitor
    static_configs:
      - targets: [{monitors}]
  - job_name: named
    static_configs:
      - targets: [{monitors}]
        labels: {{job: jobfleet-monitor, namespace: shop}}
"""

#: How many jobs of each kind are sent, and what becomes of some of them.
GOOD, RETRIED, DYING, REPLAYED, DISCARDED, HELD, WAITING = 12, 3, 6, 2, 1, 4, 5
#: Jobs that a tenant of the plan free may send in a minute, and that it sends beyond.
ALLOWED, REFUSED = 10, 2
#: Jobs that a tenant of the plan free may run at once.
SLOTS = 2
#: Runs of another worker that start late, by an objective in milliseconds, and one that does not.
LATE, OBJECTIVE_MS, IN_TIME = 3, 50, 1
#: Jobs of a queue that nobody serves any more: the worker that ran one has died with it.
UNSERVED = 2
#: Of the one worker process, which serves all queues that there are actors for.
THREADS = 8


def configuration(*monitors: str) -> str:
    """Of a Prometheus that scrapes the monitors and knows our rules."""
    targets = ", ".join(monitor.removeprefix("http://") for monitor in monitors)
    return PROMETHEUS.format(monitors=targets, rules=HOUSE / "deploy/prometheus/rules/*.yml")


class DashboardRun:
    """The fleet and its application, in this process; its monitors have processes of their own.

    Parameters:
      redis_url, database_url, namespace: where it lives; this process's settings must not say otherwise.
    """

    def __init__(self, redis_url: str, database_url: str, namespace: str) -> None:
        self.broker = FairBroker(url=redis_url, namespace=namespace)
        self.database_url = database_url
        self._done, self._mended = threading.Event(), threading.Event()
        for middleware in (TenantLimits(), Idempotency(), JobLog()):
            self.broker.add_middleware(middleware)
        self._declare()

    def _declare(self) -> None:
        tried: set[int] = set()

        @dramatiq.actor(broker=self.broker, queue_name="email")
        def good(*, tenant_id: str, number: int = 0) -> None:
            time.sleep(0.01)

        @dramatiq.actor(broker=self.broker, queue_name="report", max_retries=2, min_backoff=1)
        def second_time(*, tenant_id: str, number: int) -> None:
            if number not in tried:
                tried.add(number)
                raise ValueError("the first time")

        @dramatiq.actor(broker=self.broker, queue_name="export", max_retries=0)
        def never(*, tenant_id: str) -> None:
            if not self._mended.is_set():
                raise RuntimeError("as always")

        @dramatiq.actor(broker=self.broker, queue_name="image-processing")
        def hold(*, tenant_id: str) -> None:
            self._done.wait(120)

        @dramatiq.actor(broker=self.broker, queue_name="notification")
        def paused(*, tenant_id: str) -> None: ...

        self.good, self.second_time, self.never, self.hold, self.paused = good, second_time, never, hold, paused

    @contextmanager
    def workers(self) -> Iterator[None]:
        """Work while the block runs."""
        worker = Worker(self.broker, worker_threads=THREADS, worker_timeout=100)
        worker.start()
        try:
            # Only then is everything counted from 0 on.
            eventually(lambda: self.broker.client.hlen(self.broker.keys.actors) == len(self.broker.actors))
            yield
        finally:
            self._done.set()
            worker.stop()
            self.broker.close()

    def happen(self) -> None:
        """All that happens; at the end two jobs run, some wait or are parked, and nothing changes any more."""
        plain_sql(self.database_url, "INSERT INTO tenants (tenant_id, plan, weight) VALUES ('rich', 'pro', 7)")
        eventually(lambda: published(self.broker, "rich")[0] == "pro")
        self.broker.pause("notification")
        for number in range(GOOD):
            self.good.send(tenant_id="rich", number=number)
        for number in range(RETRIED):
            self.second_time.send(tenant_id="rich", number=number)
        for _ in range(ALLOWED + REFUSED):
            with suppress(AdmissionError):
                self.good.send(tenant_id="poor")
        for _ in range(2):
            self.good.send_with_options(kwargs={"tenant_id": "rich"}, idempotency_key="order:17", delay=3_600_000)
        for _ in range(WAITING):
            self.paused.send(tenant_id="rich")
        for _ in range(HELD):
            self.hold.send(tenant_id="slow")
        self._die()
        self._have_a_worker_die()
        append(self.broker, ["an event that nobody can read"])
        eventually(self._quiet)

    def _die(self) -> None:
        dead = [self.never.send(tenant_id="rich").message_id for _ in range(DYING)]
        eventually(lambda: len(self.broker.dead_letters.list(queue="export")) == DYING)
        self._mended.set()
        self.broker.dead_letters.replay(dead[:REPLAYED])
        self.broker.dead_letters.discard(dead[REPLAYED : REPLAYED + DISCARDED])

    def _have_a_worker_die(self) -> None:
        """Another worker starts some jobs late and one in time, dies with its next one, and tells its outcome all the same."""
        other = ScriptedWorker(self.broker, queues=("analytics", "cleanup"))
        self._send_to_others("analytics", LATE)
        sent = time.monotonic()
        eventually(lambda: time.monotonic() > sent + 2 * OBJECTIVE_MS / 1000)
        late = other.fetch(LATE, queue="analytics", objective=OBJECTIVE_MS)
        self._send_to_others("analytics", IN_TIME)
        for job_id, *_ in late + other.fetch(IN_TIME, queue="analytics"):
            other.settle(job_id, "started")
            other.complete(job_id)
        self._send_to_others("cleanup", UNSERVED)
        ((lost, *_),) = other.fetch(queue="cleanup")
        other.settle(lost, "started")
        self.broker.scripts.call("bury_worker", other.worker)
        other.complete(lost)

    def _send_to_others(self, queue: str, number: int) -> None:
        for _ in range(number):
            self.broker.enqueue(Message(queue, "elsewhere", (), {"tenant_id": "rich"}, {}))

    def _quiet(self) -> bool:
        moving = self.broker.stats(["email", "report", "export", "analytics"])
        (held,) = self.broker.stats(["image-processing"])
        return held.active == SLOTS and all(stats.waiting + stats.active == 0 for stats in moving)


def address(monitor: Process) -> str:
    """Where a monitor answers that has just been started."""
    monitor.says("metrics at ", timeout=60)
    (line,) = (line for line in monitor.output.splitlines() if "metrics at " in line)
    return line.partition("metrics at ")[2].partition("/metrics")[0]


def seen_since(prometheus: Client, moment: float, targets: int) -> float:
    """Wait until all targets were scraped after a moment; returns when the last of them was."""

    def times() -> list[float]:
        asked = {"query": "timestamp(jobfleet_build_info)"}
        found = prometheus.get("/api/v1/query", params=asked).json()["data"]["result"]
        return [float(one["value"][1]) for one in found]

    def last() -> float | None:
        seen = times()
        return max(seen) if len(seen) == targets and min(seen) > moment else None

    return present(eventually(last, timeout=60))
