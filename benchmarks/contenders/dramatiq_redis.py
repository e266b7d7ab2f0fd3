"""Dramatiq's RedisBroker at its defaults: its stock middleware and nothing else."""

from __future__ import annotations

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from jobfleet.benchmarks.contender import CONCURRENCY
from jobfleet.benchmarks.marks import Marks

marks = Marks()
broker = RedisBroker(url=os.environ["BENCH_URL"])
dramatiq.set_broker(broker)


@dramatiq.actor
def noop() -> None:
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


class DramatiqApplication:
    """Sends one by one: Dramatiq has no call for many."""

    def singles(self, count: int) -> None:
        """Send no-op jobs, one after the other."""
        for _ in range(count):
            noop.send()

    def bulk(self, count: int) -> None:
        """The same: a group would send one by one too."""
        self.singles(count)

    def stamp(self, token: str, delay_ms: int) -> None:
        """Send a job that stamps."""
        stamp.send_with_options(args=(token,), delay=delay_ms or None)

    def naps(self, tokens: list[str]) -> None:
        """Send jobs that take a while."""
        for token in tokens:
            nap.send(token)


def application() -> DramatiqApplication:
    """The sending side."""
    return DramatiqApplication()


def worker(module: str, processes: int) -> list[str]:
    """Dramatiq's own command."""
    return ["dramatiq", module, "-p", str(processes), "-t", str(CONCURRENCY)]
