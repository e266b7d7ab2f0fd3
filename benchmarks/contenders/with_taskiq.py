"""Taskiq on Redis streams, its broker that acknowledges, with ten jobs at once; otherwise its defaults."""

from __future__ import annotations

import asyncio
import os

from taskiq_redis import RedisStreamBroker

from jobfleet.benchmarks.contender import CONCURRENCY
from jobfleet.benchmarks.marks import NAP_SECONDS, Marks

marks = Marks()
broker = RedisStreamBroker(os.environ["BENCH_URL"])


@broker.task
async def noop() -> None:
    """Do nothing, and count it."""
    marks.count()


@broker.task
async def stamp(token: str) -> None:
    """Say when it was reached."""
    marks.stamp(token)


@broker.task
async def nap(token: str) -> None:
    """Take a while."""
    await asyncio.sleep(NAP_SECONDS)
    marks.stamp(token)


class TaskiqApplication:
    """Sends one by one, awaiting each; many as its documentation knows it: gathered."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._runner.run(broker.startup())

    def singles(self, count: int) -> None:
        """Send no-op jobs, one after the other."""

        async def send() -> None:
            for _ in range(count):
                await noop.kiq()

        self._runner.run(send())

    def bulk(self, count: int) -> None:
        """Send no-op jobs, a hundred at once on as many connections."""

        async def send() -> None:
            for start in range(0, count, 100):
                await asyncio.gather(*(noop.kiq() for _ in range(min(100, count - start))))

        self._runner.run(send())

    def stamp(self, token: str, delay_ms: int) -> None:
        """Send a job that stamps; its brokers know no delay, which its scheduler process would add."""

        async def send() -> None:
            await stamp.kiq(token)

        self._runner.run(send())

    def naps(self, tokens: list[str]) -> None:
        """Send jobs that take a while."""

        async def send() -> None:
            for token in tokens:
                await nap.kiq(token)

        self._runner.run(send())


def application() -> TaskiqApplication:
    """The sending side."""
    return TaskiqApplication()


def worker(module: str, processes: int) -> list[str]:
    """Taskiq's own command."""
    return ["taskiq", "worker", f"{module}:broker", "-w", str(processes), "--max-async-tasks", str(CONCURRENCY)]
