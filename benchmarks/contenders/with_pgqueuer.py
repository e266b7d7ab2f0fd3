"""pgqueuer on PostgreSQL through asyncpg, with ten jobs at once; otherwise its defaults."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import uvloop
from pgqueuer import PgQueuer, Queries

from jobfleet.benchmarks.contender import CONCURRENCY
from jobfleet.benchmarks.marks import NAP_SECONDS, Marks


@asynccontextmanager
async def queuer() -> AsyncIterator[PgQueuer]:
    """What its command runs."""
    marks = Marks()
    connection = await asyncpg.connect(os.environ["BENCH_URL"])
    pgq = PgQueuer.from_asyncpg_connection(connection)

    @pgq.entrypoint("noop")
    async def noop(job: Any) -> None:
        marks.count()

    @pgq.entrypoint("stamp")
    async def stamp(job: Any) -> None:
        marks.stamp(job.payload.decode())

    @pgq.entrypoint("nap")
    async def nap(job: Any) -> None:
        await asyncio.sleep(NAP_SECONDS)
        marks.stamp(job.payload.decode())

    yield pgq
    await connection.close()


class PgqueuerApplication:
    """Sends with single inserts, and many with one insert for a thousand."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._queries = self._runner.run(self._connect())

    async def _connect(self) -> Queries:
        queries = Queries.from_asyncpg_connection(await asyncpg.connect(os.environ["BENCH_URL"]))
        await queries.install()
        return queries

    def singles(self, count: int) -> None:
        """Send no-op jobs, one after the other."""

        async def send() -> None:
            for _ in range(count):
                await self._queries.enqueue("noop", None)

        self._runner.run(send())

    def bulk(self, count: int) -> None:
        """Send no-op jobs, a thousand in one call."""

        async def send() -> None:
            for start in range(0, count, 1000):
                many = min(1000, count - start)
                await self._queries.enqueue(["noop"] * many, [None] * many, [0] * many)

        self._runner.run(send())

    def stamp(self, token: str, delay_ms: int) -> None:
        """Send a job that stamps."""
        after = timedelta(milliseconds=delay_ms) if delay_ms else None
        self._runner.run(self._queries.enqueue("stamp", token.encode(), execute_after=after))

    def naps(self, tokens: list[str]) -> None:
        """Send jobs that take a while."""
        many = len(tokens)
        payloads = [token.encode() for token in tokens]
        self._runner.run(self._queries.enqueue(["nap"] * many, payloads, [0] * many))


def application() -> PgqueuerApplication:
    """The sending side."""
    return PgqueuerApplication()


def worker(module: str, processes: int) -> list[str]:
    """This file as a program: `pgq run` fails with the releases of typer that jobfleet needs."""
    return [module]


async def work() -> None:
    """What `pgq run` does; up to ten jobs are taken at once, and as many wait here while those run."""
    async with queuer() as pgq:
        await pgq.run(batch_size=CONCURRENCY, max_concurrent_tasks=2 * CONCURRENCY)


if __name__ == "__main__":
    uvloop.run(work())
