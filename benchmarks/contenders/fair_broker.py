"""FairBroker with its journal, tenant order and leases, and Dramatiq's stock middleware."""

from __future__ import annotations

import os

import dramatiq

from jobfleet.benchmarks.contender import CONCURRENCY
from jobfleet.benchmarks.marks import Marks
from jobfleet.broker import FairBroker

marks = Marks()
broker = FairBroker(os.environ["BENCH_URL"])
dramatiq.set_broker(broker)


@dramatiq.actor
def noop(tenant_id: int | None = None) -> None:
    """Do nothing, and count it."""
    marks.count()


@dramatiq.actor
def stamp(token: str) -> None:
    """Say when it was reached."""
    marks.stamp(token)


@dramatiq.actor
def nap(token: str) -> None:
    """Take a while."""
    marks.nap(token)


class FairApplication:
    """Sends one by one with ``send`` and many with ``enqueue_many``."""

    def __init__(self) -> None:
        self._spread = 0

    def singles(self, count: int) -> None:
        """Send no-op jobs, one after the other."""
        for _ in range(count):
            noop.send()

    def bulk(self, count: int) -> None:
        """Send no-op jobs in one call."""
        broker.enqueue_many([noop.message() for _ in range(count)])

    def spread(self, count: int, tenants: int) -> None:
        """Send no-op jobs to many tenants in turn."""
        turns = range(self._spread, self._spread + count)
        broker.enqueue_many([noop.message(tenant_id=turn % tenants) for turn in turns])
        self._spread += count

    def sent(self) -> int:
        """How many jobs were spread."""
        return self._spread

    def payload(self) -> int:
        """Bytes of such a job's encoded message."""
        return len(noop.message(tenant_id=0).encode())

    def stamp(self, token: str, delay_ms: int) -> None:
        """Send a job that stamps."""
        stamp.send_with_options(args=(token,), delay=delay_ms or None)

    def naps(self, tokens: list[str]) -> None:
        """Send jobs that take a while."""
        broker.enqueue_many([nap.message(token) for token in tokens])


def application() -> FairApplication:
    """The sending side."""
    return FairApplication()


def worker(module: str, processes: int) -> list[str]:
    """Dramatiq's own command."""
    return ["dramatiq", module, "-p", str(processes), "-t", str(CONCURRENCY)]
