"""FairBroker with jobs of a known length, for the measurements with many tenants."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import dramatiq

from jobfleet.benchmarks.contender import THREADS
from jobfleet.benchmarks.marks import Marks
from jobfleet.benchmarks.visiting import VisitingApplication
from jobfleet.broker import FairBroker

marks = Marks()
broker = FairBroker(os.environ["BENCH_URL"])
dramatiq.set_broker(broker)


@dramatiq.actor
def noop() -> None:
    """Do nothing, and count it."""
    marks.count()


@dramatiq.actor
def visit(token: str, ms: int, tenant_id: str) -> None:
    """Stamp, then take a known time."""
    marks.stamp(token)
    time.sleep(ms / 1000)


def _send(token: str, ms: int, tenant: str) -> None:
    visit.send(token, ms, tenant_id=tenant)


def _send_many(jobs: Sequence[tuple[str, int, str]]) -> None:
    broker.enqueue_many([visit.message(token, ms, tenant_id=tenant) for token, ms, tenant in jobs])


def application() -> VisitingApplication:
    """The sending side."""
    return VisitingApplication(noop.send, _send, _send_many)


def worker(module: str, processes: int) -> list[str]:
    """Dramatiq's own command."""
    return ["dramatiq", module, "-p", str(processes), "-t", os.environ[THREADS]]
