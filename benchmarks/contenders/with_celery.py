"""Celery on Redis with a pool of ten threads and results ignored; otherwise its defaults."""

from __future__ import annotations

import os

from celery import Celery

from jobfleet.benchmarks.contender import CONCURRENCY
from jobfleet.benchmarks.marks import Marks

marks = Marks()
app = Celery("bench", broker=f"{os.environ['BENCH_URL']}/0")
app.conf.ignore_result = True
app.conf.task_ignore_result = True


@app.task
def noop() -> None:
    """Do nothing, and count it."""
    marks.count()


@app.task
def stamp(token: str) -> None:
    """Say when it was reached."""
    marks.stamp(token)


@app.task
def nap(token: str) -> None:
    """Take a while."""
    marks.nap(token)


class CeleryApplication:
    """Sends one by one: a Celery group does the same."""

    def singles(self, count: int) -> None:
        """Send no-op jobs, one after the other."""
        for _ in range(count):
            noop.delay()

    def bulk(self, count: int) -> None:
        """The same."""
        self.singles(count)

    def stamp(self, token: str, delay_ms: int) -> None:
        """Send a job that stamps."""
        stamp.apply_async((token,), countdown=delay_ms / 1000 if delay_ms else None)

    def naps(self, tokens: list[str]) -> None:
        """Send jobs that take a while."""
        for token in tokens:
            nap.delay(token)


def application() -> CeleryApplication:
    """The sending side."""
    return CeleryApplication()


def worker(module: str, processes: int) -> list[str]:
    """Celery's own command, with a name of its own for each process."""
    name = f"bench{os.getpid()}@%h"
    return ["celery", "-A", f"{module}:app", "worker", "-P", "threads", "-c", str(CONCURRENCY), "-n", name]
