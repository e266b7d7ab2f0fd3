"""Where the model's jobs wait: lines by priority and arrival, and how a job comes into one."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from model_job import Job
from model_order import FairOrder

SUSPECT_LOSSES = 2
#: An id is remembered for the half minute in which its job ended and two more.
REMEMBERED_HALF_MINUTES = 2


class Lines:
    """A fleet at one moment, ``now``, without its workers; the clock moves only when a test moves it."""

    def __init__(self, now: int, lease_ms: int, weights: dict[str, int]) -> None:
        self.now, self.lease_ms = now, lease_ms
        #: Nobody is lost before this moment.
        self.grace_until = 0
        self.arrivals = 0
        self.jobs: dict[str, Job] = {}
        #: Job that is over -> when.
        self.ended: dict[str, int] = {}
        #: Worker -> when its lease ends.
        self.workers: dict[str, int] = {}
        self.paused: set[str] = set()
        #: Queue -> when it was resumed: what its jobs waited before is nobody's failure.
        self.resumed: dict[str, int] = {}
        self.entering: list[tuple[str, str]] = []
        self.orders = defaultdict[str, FairOrder](lambda: FairOrder(weights))
        #: Actor, or tab and queue -> recent mean of a run, in ms.
        self.means: dict[str, float] = {}
        #: Queue -> the worker that becomes empty for its suspect.
        self.claims: dict[str, str] = {}
        #: Group -> its size, and the members that completed.
        self.groups: dict[str, tuple[int, set[str]]] = {}
        self.counts: Counter[tuple[Any, ...]] = Counter()

    # Questions.

    def those(self, state: str, queue: str | None = None) -> list[Job]:
        """Jobs in a state, next first."""
        found = [job for job in self.jobs.values() if job.state == state and queue in (None, job.queue)]
        return sorted(found, key=lambda job: job.place)

    def held(self, worker: str) -> list[Job]:
        """What a worker holds."""
        return [job for job in self.those("active") if job.worker == worker]

    def suspects(self, queue: str) -> list[Job]:
        """Waiting jobs that must run alone."""
        return [job for job in self.those("pending", queue) if job.losses >= SUSPECT_LOSSES]

    def lines(self, queue: str) -> dict[str, list[Job]]:
        """Tenant -> its waiting jobs."""
        lines: defaultdict[str, list[Job]] = defaultdict(list)
        for job in self.those("pending", queue):
            if job.losses < SUSPECT_LOSSES:
                lines[job.tenant].append(job)
        return lines

    def remembers(self, job_id: str) -> bool:
        """Whether a send with this id would be a repeat."""
        if job_id not in self.ended:
            return job_id in self.jobs
        return job_id in self.jobs or self.now // 30_000 - self.ended[job_id] // 30_000 <= REMEMBERED_HALF_MINUTES

    # Sending and waiting.

    def send(self, job: Job, delay: int) -> None:
        """A new job; one that is known already changes nothing."""
        self.accept(job, delay)
        self.enter()

    def accept(self, job: Job, delay: int) -> None:
        """Store what is sent, as a part of a step."""
        if self.remembers(job.job_id):
            return
        self.jobs[job.job_id] = job
        self.wait(job, delay)
        job.note("enqueued", 0)
        self.counts["jobs_enqueued", job.queue, job.actor] += 1

    def wait(self, job: Job, delay: int) -> None:
        """Scheduled when there is a delay, else at the end of its line."""
        if delay > 0:
            job.state, job.since = "scheduled", self.now + delay
        else:
            self.arrivals += 1
            self.join(job, (job.priority, self.arrivals), self.now)

    def join(self, job: Job, place: tuple[int, int], since: int) -> None:
        """Into the tenant's line, or among the suspects; who had no line gets its tag with the step's ``enter``."""
        if job.losses < SUSPECT_LOSSES and job.tenant not in self.lines(job.queue):
            self.entering.append((job.queue, job.tenant))
        job.state, job.place, job.since = "pending", place, since

    def enter(self) -> None:
        """Tenants that have a line again take part in the order."""
        for queue, tenant in self.entering:
            self.orders[queue].enter(tenant)
        self.entering.clear()

    def promote(self, queue: str) -> None:
        """What is due joins its line, in the order in which it was due."""
        due = [job for job in self.those("scheduled", queue) if job.since <= self.now]
        for job in sorted(due, key=lambda job: (job.since, job.job_id)):
            self.arrivals += 1
            self.join(job, (job.priority, self.arrivals), job.since)
        self.enter()

    def settle_up(self) -> None:
        """Charges become what they should have been; then tenants enter, with the tags that they have now."""
        for order in self.orders.values():
            order.settle_up()
        self.enter()
