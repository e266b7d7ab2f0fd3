"""What happens in the demo, step by step, apart from how it is told.

1. The application sends its jobs.
2. The fleet works until nothing waits, runs or is delayed any more; what fails for good is a dead letter.
3. The broken endpoint is mended and its dead letters are replayed.
4. Tenants meet their limits.
5. The job log catches up and is compared with what the outside world saw.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dramatiq import Message

from ..broker.dead_letter import DeadLetter
from ..broker.stats import QueueStats
from ..middleware.database import database
from ..middleware.logged_job import LoggedJob
from .demo_check import DemoCheck
from .demo_checks import DemoChecks
from .demo_fleet import FIRST_BACKOFF_MS, QUEUES, DemoFleet
from .demo_load import DemoLoad
from .demo_tenants import DemoTenants
from .demo_witness import DemoWitness

#: Seconds between two looks at the queues.
LOOK_SECONDS = 0.2
#: More than the demo ever sends.
MANY = 10_000


class DemoFailed(Exception):
    """The fleet did not do what it should."""


class DemoStory:
    """One demo on one fleet.

    Parameters:
      fleet: it runs.
    """

    def __init__(self, fleet: DemoFleet) -> None:
        self.fleet = fleet
        self.load = DemoLoad(fleet.receiver, database())
        self._checks: list[DemoCheck] = []

    def stats(self) -> list[QueueStats]:
        """The counts of the demo's queues."""
        return self.fleet.broker.stats(QUEUES)

    def finish(self, show: Callable[[Sequence[QueueStats]], None], seconds: float) -> None:
        """Wait until nothing waits, runs or is delayed.

        Parameters:
          show: is given the counts again and again.
          seconds: how long that may take.

        Raises:
          DemoFailed: it took longer.
          ConfigurationError: a worker has ended.
        """
        deadline = time.monotonic() + seconds
        while True:
            rows = self.stats()
            show(rows)
            left = sum(row.total for row in rows)
            if not left:
                return
            self.fleet.check()
            if time.monotonic() > deadline:
                raise DemoFailed(f"{left} jobs are not over after {seconds:g} s")
            time.sleep(LOOK_SECONDS)

    def dead_letters(self) -> list[DeadLetter]:
        """What failed for good."""
        return self.fleet.broker.dead_letters.list(limit=MANY)

    def replay(self) -> list[str]:
        """Mend the broken endpoint and replay what died of it; returns the ids of those jobs."""
        letters = self.dead_letters()
        self._checks.append(self._deaths("Before the replay, what had to be dead was", letters, mended=True))
        self.fleet.receiver.mend("/broken")
        return self.fleet.broker.dead_letters.replay(
            letter.job_id for letter in letters if letter.reason == "exhausted"
        )

    def tenants(self) -> None:
        """Let tenants meet their limits."""
        self._checks += DemoTenants(self.fleet, self.load).play()

    def record(self, seconds: float) -> None:
        """Wait until the job log knows everything that has happened.

        Raises:
          DemoFailed: it took longer than ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while lag := self.fleet.broker.journal.lag()[0]:
            if time.monotonic() > deadline:
                raise DemoFailed(f"{lag} events are not in the job log after {seconds:g} s")
            time.sleep(LOOK_SECONDS)

    def log(self) -> dict[str, LoggedJob]:
        """The job log with every timeline, by the keys of the demo's jobs."""
        history = self.fleet.history
        rows = [row for queue in QUEUES for row in history.jobs(queue=queue, limit=MANY)]
        whole = [job for row in rows if (job := history.job(row.job_id))]
        return {self.load.key_of(job.queue, job.payload or {}): job for job in whole}

    def witness(self) -> DemoWitness:
        """What mail server and endpoints have seen."""
        return DemoWitness(self.fleet.mail.attempts, self.fleet.receiver.received)

    def checks(self, log: Mapping[str, LoggedJob]) -> list[DemoCheck]:
        """Everything that must be true in the end."""
        checks = DemoChecks(self.load.jobs, log, self.witness(), FIRST_BACKOFF_MS).all()
        deaths = self._deaths("After it, what cannot be mended still is", self.dead_letters(), mended=False)
        return [*checks, *self._checks, deaths, self._silence(), self._counts(log)]

    def _deaths(self, name: str, letters: Sequence[DeadLetter], *, mended: bool) -> DemoCheck:
        expected = {job.key: job.reason for job in self.load.jobs.values() if job.reason and (mended or not job.mended)}
        actual = {self.load.key_of(letter.queue, _arguments(letter)): letter.reason for letter in letters}
        return DemoCheck.same(name, expected, actual)

    def _silence(self) -> DemoCheck:
        told = self.load.announce("umbrella", "umbrella-later")
        return DemoCheck(name="An endpoint that is gone gets nothing any more", found=f"{told} jobs", ok=told == 0)

    def _counts(self, log: Mapping[str, LoggedJob]) -> DemoCheck:
        redis = {row.queue: (row.completed, row.failed) for row in self.stats()}
        logged = {queue: tuple(_count(log, queue, status) for status in ("completed", "failed")) for queue in QUEUES}
        return DemoCheck.same("Redis counts of each queue what the job log has", logged, redis)


def _count(log: Mapping[str, LoggedJob], queue: str, status: str) -> int:
    return sum(job.queue == queue and job.status == status for job in log.values())


def _arguments(letter: DeadLetter) -> Mapping[str, Any]:
    arguments: Mapping[str, Any] = Message.decode(letter.message).kwargs
    return arguments
