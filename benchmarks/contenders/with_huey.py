"""Huey with ten threads, results off; otherwise its defaults."""

from __future__ import annotations

import os

from huey import RedisHuey

from jobfleet.benchmarks.contender import CONCURRENCY
from jobfleet.benchmarks.marks import Marks

marks = Marks()
huey = RedisHuey("bench", url=os.environ["BENCH_URL"], results=False)


@huey.task()
def noop() -> None:
    """Do nothing, and count it."""
    marks.count()


@huey.task()
def stamp(token: str) -> None:
    """Say when it was reached."""
    marks.stamp(token)


@huey.task()
def nap(token: str) -> None:
    """Take a while."""
    marks.nap(token)


class HueyApplication:
    """Sends one by one: Huey has no call for many."""

    def singles(self, count: int) -> None:
        """Send no-op jobs, one after the other."""
        for _ in range(count):
            noop()

    def bulk(self, count: int) -> None:
        """The same."""
        self.singles(count)

    def stamp(self, token: str, delay_ms: int) -> None:
        """Send a job that stamps."""
        if delay_ms:
            stamp.schedule((token,), delay=delay_ms / 1000)
        else:
            stamp(token)

    def naps(self, tokens: list[str]) -> None:
        """Send jobs that take a while."""
        for token in tokens:
            nap(token)


def application() -> HueyApplication:
    """The sending side."""
    return HueyApplication()


def worker(module: str, processes: int) -> list[str]:
    """Huey's own command; quiet, as it logs every job otherwise."""
    return ["huey.bin.huey_consumer", f"{module}.huey", "-w", str(CONCURRENCY), "-k", "thread", "-q"]
