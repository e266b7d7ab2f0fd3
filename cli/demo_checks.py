"""Compares three independent memories: what the application sent, the fleet's log, and what the outside world saw."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from ..middleware.logged_job import LoggedJob
from ..middleware.logged_run import LoggedRun
from .demo_check import DemoCheck
from .demo_job import DemoJob
from .demo_witness import DemoWitness, Sight

#: Outcomes that use up an attempt; a run that was lost or put off is none.
ATTEMPTS = frozenset({"completed", "retry", "failed", "skipped"})
#: Seconds by which the clocks of the log and of a witness may differ.
CLOCKS_SECONDS = 1.0
REFUSAL = re.compile(r"\b[45]\d\d\b")


class DemoChecks:
    """What must be true of a fleet that has finished the demo's load.

    Parameters:
      jobs: what was sent, by key.
      log: the job log with all runs, by key.
      witness: what the mail server and the endpoints saw.
      first_backoff_ms: milliseconds before a second attempt.
    """

    def __init__(
        self,
        jobs: Mapping[str, DemoJob],
        log: Mapping[str, LoggedJob],
        witness: DemoWitness,
        first_backoff_ms: int,
    ) -> None:
        self._jobs = jobs
        self._log = log
        self._witness = witness
        self._first_backoff = first_backoff_ms / 1000

    def all(self) -> list[DemoCheck]:
        """Every comparison."""
        return [*self._of_the_log(), *self._of_the_world(), *self._of_time()]

    def _of_the_log(self) -> Iterator[DemoCheck]:
        expected = Counter(f"{job.queue} {job.final_status}" for job in self._jobs.values())
        actual = Counter(f"{job.queue} {job.status}" for job in self._log.values())
        counts = ", ".join(f"{count} {name}" for name, count in sorted(actual.items()))
        yield DemoCheck(
            name="The job log has every job in the state it should be in", found=counts, ok=expected == actual
        )
        yield DemoCheck.same(
            "The job log counts the attempts that were to be expected",
            {key: job.final_attempts for key, job in self._jobs.items()},
            {key: job.attempts for key, job in self._log.items()},
        )
        yield DemoCheck.same(
            "The timeline of every job has a row for each of its attempts",
            {key: list(range(1, job.attempts + 1)) for key, job in self._log.items()},
            {key: [run.attempt for run in attempts_of(job)] for key, job in self._log.items()},
        )

    def _of_the_world(self) -> Iterator[DemoCheck]:
        emails = {key: job for key, job in self._log.items() if job.queue == "email"}
        yield DemoCheck.same(
            "Every email arrived once, with the id of its job, unless it was refused",
            {key: [job.job_id] for key, job in emails.items() if job.status == "completed"},
            self._witness.emails(),
        )
        yield DemoCheck.same(
            "The answers of mail server and endpoints are those in the timelines",
            {key: [sight.code for sight in sights] for key, sights in self._witness.sights.items()},
            {key: [_answer(run) for run in attempts_of(job)] for key, job in self._log.items()},
        )
        yield DemoCheck.same(
            "Every webhook came with right signatures and the number of its attempt",
            {key: list(range(1, job.attempts + 1)) for key, job in self._log.items() if job.queue == "webhook"},
            self._witness.numbered(),
        )

    def _of_time(self) -> Iterator[DemoCheck]:
        delayed = {key: job for key, job in self._jobs.items() if job.not_before}
        early = [key for key, job in delayed.items() if any(s.at < job.not_before for s in self._seen(key))]
        yield _each("Every delayed job waited for its time", early, len(delayed))
        retried = {key: sights for key, sights in self._witness.sights.items() if len(sights) > 1}
        hasty = [key for key, sights in retried.items() if not self._waited(sights, self._jobs[key].attempts)]
        yield _each("Every retried job waited for its backoffs", hasty, len(retried))
        strange = [key for key, job in self._log.items() if not _fits(attempts_of(job), self._seen(key))]
        yield _each("Every attempt was seen when the log says that it ran", strange, len(self._log))

    def _seen(self, key: str) -> Sequence[Sight]:
        return self._witness.sights.get(key, ())

    def _waited(self, sights: Sequence[Sight], attempts: int) -> bool:
        """Whether each pause was as long as the backoff; what comes after a replay comes when somebody asks for it."""
        pauses = [later.at - earlier.at for earlier, later in pairwise(sights[:attempts])]
        return all(pause >= self._first_backoff * 2**place for place, pause in enumerate(pauses))


def attempts_of(job: LoggedJob) -> list[LoggedRun]:
    """The runs of a job that were attempts."""
    return [run for run in job.runs if run.outcome in ATTEMPTS]


def _answer(run: LoggedRun) -> int:
    """What the log says that mail server or endpoint answered; 200 stands for every good answer."""
    if run.outcome == "completed":
        return 200
    refusal = REFUSAL.search(run.error or "")
    return int(refusal[0]) if refusal else 0


def _fits(runs: Sequence[LoggedRun], sights: Sequence[Sight]) -> bool:
    if len(runs) != len(sights):
        return False
    for run, sight in zip(runs, sights, strict=True):
        if run.started_at is None or run.ended_at is None:
            return False
        if not run.started_at.timestamp() - CLOCKS_SECONDS <= sight.at <= run.ended_at.timestamp() + CLOCKS_SECONDS:
            return False
    return True


def _each(name: str, wrong: Sequence[str], count: int) -> DemoCheck:
    found = f"{len(wrong)} did otherwise, such as {wrong[0]}" if wrong else f"{count} of {count}"
    return DemoCheck(name=name, found=found, ok=not wrong)
