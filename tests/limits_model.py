"""What is promised of limits and keys, as a few dicts and lists, without a word on how Redis keeps it.

1. A send is judged by its key, then by its tenant's backlog, then by its tenant's rate. What is refused leaves no
   trace, a duplicate is no job, and neither is charged.
2. Rate: a job is admitted when at most N - 1 were in the 60 s before it; N is what holds at that moment. One that
   is held is admitted in its turn, at the first moment at which somebody looks and the rate lets it in.
3. Concurrency: a job starts only while fewer of its tenant's jobs run than the limit says at that moment.
4. Backlog: jobs that wait, are held or scheduled, or run. What was promised is not refused for it.
5. A key belongs to a tenant and an actor. It is the first job's until that is over: it is free at once when the
   job was cancelled or discarded, and after its time when it completed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from jobfleet.broker.limits import Limits

#: Moments are whole ms, rounded down: that far apart they may be a hair less than a minute apart.
MINUTE_MS = 60_000
#: Who is refused only because nobody has let in what is held is told to ask again after that many ms.
NEXT_LOOK_MS = 1_000
SUSPECT_LOSSES = 2
UNFINISHED = ("waiting", "held", "scheduled", "active")

#: Tenant, actor and key.
Name = tuple[str, str, str]


@dataclass
class Job:
    """One job; `due` is when its own delay ends."""

    job_id: str
    queue: str
    tenant: str
    actor: str
    key: str = ""
    payload: int = 0
    ttl_ms: int = 0
    state: str = "new"
    due: int = 0
    #: Who runs it, by which fetch.
    worker: str = ""
    number: int = 0
    losses: int = 0
    alone: bool = False
    cancelling: bool = False

    @property
    def name(self) -> Name:
        """What its key is known by."""
        return (self.tenant, self.actor, self.key)


class LimitsModel:
    """The fleet at one moment, ``now``."""

    def __init__(self, now: int, lease_ms: int, free: Limits) -> None:
        self.now, self.lease_ms, self.free = now, lease_ms, free
        self.tenants: dict[str, Limits] = {}
        self.jobs: dict[str, Job] = {}
        self.held: defaultdict[str, list[Job]] = defaultdict(list)
        #: Tenant -> when its jobs were admitted.
        self.admitted: defaultdict[str, list[int]] = defaultdict(list)
        self.keys: dict[Name, Job] = {}
        #: When keys of completed jobs are forgotten.
        self.forgotten: dict[Name, int] = {}
        #: Worker -> when its lease ends.
        self.workers: dict[str, int] = {}

    # Questions.

    def limits(self, tenant: str) -> Limits:
        """What a tenant may do."""
        return self.tenants.get(tenant, self.free)

    def those(self, *states: str, tenant: str | None = None, queue: str | None = None) -> list[Job]:
        """Jobs in one of some states."""
        return [
            job
            for job in self.jobs.values()
            if job.state in states and tenant in (None, job.tenant) and queue in (None, job.queue)
        ]

    def running(self, tenant: str) -> int:
        """Slots that are taken."""
        return len(self.those("active", tenant=tenant))

    def free_slots(self, tenant: str) -> int:
        """Jobs of a tenant that may start now."""
        limits = self.limits(tenant)
        return 0 if limits.paused else limits.concurrency - self.running(tenant)

    def runnable(self, queue: str) -> list[Job]:
        """What a worker would be given."""
        return [job for job in self.those("waiting", queue=queue) if self.free_slots(job.tenant) > 0]

    def free_moment(self, tenant: str) -> int:
        """When the rate lets in one more."""
        return self.next_moment(tenant, self.admitted[tenant])

    def next_moment(self, tenant: str, times: Sequence[int]) -> int:
        """When the rate lets in one more behind those that were admitted at these times."""
        most = self.limits(tenant).per_minute
        return self.now if len(times) < most else max(self.now, times[-most] + MINUTE_MS + 1)

    def retry_after(self, tenant: str) -> int:
        """Ms after which one more would be admitted, behind all that is held."""
        times = list(self.admitted[tenant])
        for _ in self.held[tenant]:
            times.append(self.next_moment(tenant, times))
        moment = self.next_moment(tenant, times)
        return moment - self.now if moment > self.now else NEXT_LOOK_MS

    # Sending.

    def send(self, job: Job, on_limit: str, *, promised: bool = False, delay: int = 0) -> str:
        """Judge a send; returns what it is met with: accepted, duplicate, conflict, backlog or rate."""
        if job.key and (first := self.keys.get(job.name)):
            return "duplicate" if first.payload == job.payload else "conflict"
        backlog = len(self.those(*UNFINISHED, tenant=job.tenant))
        if not promised and backlog >= self.limits(job.tenant).max_backlog:
            return "backlog"
        late = bool(self.held[job.tenant]) or self.free_moment(job.tenant) > self.now
        if late and on_limit == "reject":
            return "rate"
        self.jobs[job.job_id] = job
        if job.key:
            self.keys[job.name] = job
        job.due = self.now + delay
        if late:
            job.state = "held"
            self.held[job.tenant].append(job)
        else:
            self.admit(job)
        return "accepted"

    def admit(self, job: Job) -> None:
        """The rate lets a job in, now."""
        times = self.admitted[job.tenant]
        times.append(self.now)
        last_minute = [moment for moment in times if moment >= self.now - MINUTE_MS]
        assert len(last_minute) <= self.limits(job.tenant).per_minute
        self.wait(job)

    def wait(self, job: Job) -> None:
        """A job may run, now or when it is due."""
        job.state = "scheduled" if job.due > self.now else "waiting"

    def open_gates(self, tenants: Collection[str] | None = None) -> None:
        """Somebody looks: what is held comes in, in its order, as far as the rate lets it."""
        for tenant, held in self.held.items():
            while held and (tenants is None or tenant in tenants) and self.free_moment(tenant) <= self.now:
                self.admit(held.pop(0))

    # Running.

    def register(self, worker: str) -> None:
        """A worker joins, or renews its lease."""
        self.workers[worker] = self.now + self.lease_ms

    def fetch(self, worker: str, number: int, queues: Collection[str], given: Iterable[str], status: str) -> None:
        """A worker was given jobs: each of them waited, and its tenant had a free slot."""
        if worker in self.workers:
            self.take_back()
        assert (status == "gone") == (worker not in self.workers)
        if status == "gone":
            assert not given
            return
        self.look(queues)
        for job in (self.jobs[job_id] for job_id in given):
            assert job.state == "waiting" and job.queue in queues, f"{job} was given"
            assert self.free_slots(job.tenant) > 0, f"{job} was given, {self.running(job.tenant)} run already"
            assert (job.losses >= SUSPECT_LOSSES) == (status == "alone")
            job.state, job.worker, job.number, job.alone = "active", worker, number, status == "alone"

    def look(self, queues: Collection[str]) -> None:
        """What is due joins its line."""
        self.open_gates()
        for job in self.those("scheduled"):
            if job.queue in queues and job.due <= self.now:
                job.state = "waiting"

    def settle(self, worker: str, items: Iterable[tuple[str, int, str, int]]) -> int:
        """Runs end: job id, fetch number, kind, ms of delay. Returns how many leases were not held any more."""
        stale = 0
        for job_id, number, kind, delay in items:
            job = self.jobs[job_id]
            if (job.state, job.worker, job.number) != ("active", worker, number):
                stale += 1
            elif kind == "released":
                self.give_back(job)
            else:
                self.end_run(job, kind, delay)
        return stale

    def end_run(self, job: Job, kind: str, delay: int) -> None:
        """A run comes to its end; whoever cancelled the job does not want another one."""
        if job.cancelling and kind in ("retry", "postponed"):
            kind = "cancelled"
        job.cancelling = False
        if kind in ("completed", "skipped"):
            job.state = "over"
            if job.key:
                self.forgotten[job.name] = self.now + job.ttl_ms
        elif kind == "cancelled":
            self.give_up(job)
        elif kind == "failed":
            job.state, job.losses = "dead", 0
        else:
            job.due, job.losses = self.now + delay, 0
            self.wait(job)

    def give_back(self, job: Job, *, lost: bool = False) -> None:
        """A run is cut short: the job waits again, unless it was cancelled or is what kills its workers."""
        job.losses += lost
        if job.cancelling:
            self.give_up(job)
        else:
            job.state = "dead" if lost and job.alone else "waiting"

    def give_up(self, job: Job) -> None:
        """A job is over without having done what it was for: its key is free."""
        if job in self.held[job.tenant]:
            self.held[job.tenant].remove(job)
        if job.key and self.keys.get(job.name) is job:
            del self.keys[job.name]
        job.state, job.cancelling = "over", False

    def part(self, worker: str, *, lost: bool) -> None:
        """A worker is gone."""
        for job in self.those("active"):
            if job.worker == worker:
                self.give_back(job, lost=lost)
        self.workers.pop(worker, None)

    def take_back(self) -> None:
        """Workers whose lease has ended are lost."""
        for worker in [worker for worker, ends in self.workers.items() if ends <= self.now]:
            self.part(worker, lost=True)

    def upkeep(self, queues: Collection[str]) -> None:
        """What must happen also where no worker asks."""
        self.take_back()
        self.look(queues)

    # Operating.

    def cancel(self, job_id: str) -> str:
        """A job that waits is over, one that runs is marked."""
        job = self.jobs.get(job_id)
        if job is None or job.state == "over":
            return "unknown"
        if job.state == "dead":
            return "dead"
        if job.state == "active":
            job.cancelling = True
            return "cancelling"
        self.give_up(job)
        return "cancelled"

    def run_now(self, job_id: str) -> str:
        """A job waits for its time no longer; what its tenant's rate holds stays held."""
        job = self.jobs.get(job_id)
        if job is None or job.state == "over":
            return "unknown"
        if job.state == "held":
            job.due = 0
        elif job.state == "scheduled":
            job.state = "waiting"
            return "ready"
        return job.state

    def matching(self, queue: str | None, tenant: str | None, states: Collection[str]) -> dict[str, list[Job]]:
        """Jobs that are not over, by the states that operators know, of those that are asked for."""
        known = {"pending": ("waiting",), "scheduled": ("held", "scheduled"), "active": ("active",)}
        return {state: self.those(*known[state], queue=queue, tenant=tenant) for state in states}

    def cancel_matching(self, queue: str | None, tenant: str | None, states: Collection[str]) -> None:
        """All that match are over, or marked where they run."""
        for jobs in self.matching(queue, tenant, states).values():
            for job in jobs:
                self.cancel(job.job_id)

    def set_limits(self, free: Limits, tenants: Mapping[str, Limits], gone: Collection[str] = ()) -> None:
        """Other limits hold from now on; what is held looks whether they let it in."""
        changed = {tenant for tenant, limits in tenants.items() if self.tenants.get(tenant) != limits}
        changed |= {tenant for tenant in gone if self.tenants.pop(tenant, None)}
        self.tenants.update(tenants)
        everybody, self.free = self.free != free, free
        self.open_gates(None if everybody else changed)

    def tick(self, now: int) -> None:
        """Time passes, and keys are forgotten."""
        self.now = now
        for name in [name for name, moment in self.forgotten.items() if moment <= now]:
            del self.forgotten[name], self.keys[name]
