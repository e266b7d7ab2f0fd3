"""The broker as a few dicts and sorts: what it promises, without a word on how Redis keeps it.

1. A job is in one state. ``pending`` jobs stand in their tenant's line: by priority, then by arrival.
   Between tenants the order is fair (``model_order``), by the ms that jobs take.
2. A lease is worker, job and number of the fetch. What ends a lease names all three, or it is stale.
3. A job that is released, or whose worker is lost, goes back to its old place; no attempt is used.
   One that lost two workers is a suspect: it runs alone, and is dead when it loses a third one.
4. A cancel of a job that runs holds: it does not run again, whatever cuts its run short; a run that comes to
   its end (completed, skipped, failed) has its own outcome.
5. Each transition is one event in the job's history, and is counted by the step that makes it.
6. A step that is repeated changes nothing, so this page has no word on repeats.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from model_job import Job
from model_lines import Lines
from model_order import LEAST_CHARGE

WAIT_OBJECTIVE_MS = 30_000

#: How a run goes on or ends: job id, fetch number, kind, ms that it ran, ms of delay.
Item = tuple[str, int, str, int, int]


class Model(Lines):
    """The fleet with its workers."""

    def register(self, worker: str) -> None:
        """A worker joins, or renews its lease."""
        self.workers[worker] = self.now + self.lease_ms

    def fetch(self, worker: str, number: int, most: int, queues: Sequence[str], given: Sequence[str]) -> str:
        """Lease the jobs that were `given`, if it was their turn; returns the status.

        They may come in any order (a repeat's do) as long as some order of them is lawful.
        """
        if worker in self.workers:
            self.take_back()
        self.settle_up()
        if worker not in self.workers:
            assert not given, f"{given} were given to a worker that the fleet does not know"
            return "gone"
        left = list(given)
        status = self.look_after_suspects(worker, number, queues, left)
        self.settle_up()
        for queue in queues:
            self.promote(queue)
            if status == "ok" and queue not in self.paused:
                self.take(worker, number, queue, most - len(given) + len(left), left)
        assert not left, f"{left} were given, but were not next"
        return status

    def look_after_suspects(self, worker: str, number: int, queues: Sequence[str], left: list[str]) -> str:
        """An empty worker takes one suspect and nothing else; a busy one claims it and becomes empty."""
        for queue in queues:
            if queue in self.paused or not self.suspects(queue):
                continue
            if not self.held(worker):
                suspect = self.suspects(queue)[0]
                assert left == [suspect.job_id], f"{left} were given where {suspect.job_id} had to be alone"
                left.clear()
                self.claims.pop(queue, None)
                self.lease(suspect, worker, number)
                suspect.alone = True
                self.orders[queue].owe(suspect.tenant, suspect.charge)
                return "alone"
            if self.claims.setdefault(queue, worker) == worker:
                return "drain"
        return "ok"

    def take(self, worker: str, number: int, queue: str, most: int, left: list[str]) -> None:
        """Up to `most` jobs of a queue in fair order."""
        order = self.orders[queue]
        while most > 0 and (lines := self.lines(queue)):
            heads = [lines[tenant][0].job_id for tenant in sorted(order.turns(set(lines)))]
            found = next((job_id for job_id in left if job_id in heads), None)
            assert found, f"{left or 'nothing'} given where one of {heads} of {queue} was next"
            left.remove(found)
            most -= 1
            job = self.jobs[found]
            self.lease(job, worker, number)
            order.serve(job.tenant, job.charge, set(self.lines(queue)))

    def lease(self, job: Job, worker: str, number: int) -> None:
        """The job is active; its tenant is charged the actor's recent mean, or the queue's for a new actor."""
        mean = self.means.get(job.actor) or self.means.get("\t" + job.queue, 0.0)
        waited = self.now - max(job.since, self.resumed.get(job.queue, 0))
        self.counts["wait_slo_starts", job.queue] += 1
        self.counts["wait_slo_violations", job.queue] += waited > WAIT_OBJECTIVE_MS
        self.counts["job_wait", job.queue, "sum"] += waited
        job.state, job.worker, job.number, job.fetched = "active", worker, number, self.now
        job.alone, job.charge = False, max(LEAST_CHARGE, mean)

    def settle(self, worker: str, items: Iterable[Item]) -> int:
        """Runs go on or end; returns how many leases were not held any more."""
        stale = 0
        runs: defaultdict[str, list[int]] = defaultdict(list)
        for job_id, number, kind, ran, delay in items:
            job = self.jobs.get(job_id)
            if job is None or (job.state, job.worker, job.number) != ("active", worker, number):
                stale += 1
            elif kind in ("started", "progress"):
                job.note(kind, job.attempts + 1, worker)
            elif kind == "released":
                self.give_back(job, "released")
            else:
                self.orders[job.queue].owe(job.tenant, max(ran, LEAST_CHARGE) - job.charge)
                runs[job.actor].append(ran)
                runs["\t" + job.queue].append(ran)
                self.end_run(job, kind, ran, delay)
        for name, times in runs.items():
            mean = self.means.get(name, times[0])
            for ran in times:
                mean += 0.1 * (ran - mean)
            self.means[name] = float(f"{mean:.3f}")
        self.settle_up()
        self.counts["stale_settles",] += stale
        return stale

    def end_run(self, job: Job, kind: str, ran: int, delay: int) -> None:
        """What a run may end with, and what is counted of each."""
        attempt, worker = job.attempts + 1, job.worker
        kind = job.ending(kind)
        job.worker, job.cancelling = "", False
        job.note(kind, attempt, worker)
        if kind in ("retry", "failed", "postponed"):
            job.losses = 0
        if kind != "postponed":
            job.attempts = attempt
            self.counts["jobs_processed", job.queue, job.actor, kind] += 1
        if kind not in ("postponed", "cancelled"):
            self.counts["job_run", job.queue, job.actor, "sum"] += ran
        if kind in ("completed", "skipped", "failed"):
            self.counts["job_attempts", job.queue, attempt] += 1
        if kind in ("retry", "postponed"):
            self.wait(job, delay)
        elif kind == "failed":
            self.bury(job, "exhausted")
        else:
            self.over(job, kind)
        if kind == "completed":
            self.send_next(job)

    def send_next(self, job: Job) -> None:
        """What a completed job's hooks sent is part of the same step; a group's callbacks wait for all members."""
        if job.group:
            size, completed = self.groups[job.group]
            completed.add(job.job_id)
            if len(completed) < size:
                return
        for following in job.then:
            self.accept(following.anew(), 0)

    def cancelled(self, job: Job, attempt: int, worker: str = "") -> None:
        """A job is over before a run of it came to its end."""
        self.counts["jobs_processed", job.queue, job.actor, "cancelled"] += 1
        job.cancelling = False
        job.note("cancelled", attempt, worker)
        self.over(job, "cancelled")

    def over(self, job: Job, state: str) -> None:
        """The job has ended; its id is remembered for a while."""
        job.state = state
        self.ended[job.job_id] = self.now
        del self.jobs[job.job_id]

    def bury(self, job: Job, reason: str) -> None:
        """The job is a dead letter."""
        job.state, job.since = "failed", self.now
        self.counts["dead_lettered", job.queue, job.actor, reason] += 1

    def give_back(self, job: Job, kind: str) -> None:
        """A lease ends without an outcome: no attempt, no charge, the old place in the line."""
        worker, job.worker = job.worker, ""
        self.orders[job.queue].owe(job.tenant, -job.charge)
        if job.cancelling:
            self.cancelled(job, job.attempts + 1, worker)
            return
        if kind == "lost":
            job.losses += 1
            self.counts["jobs_processed", job.queue, job.actor, "lost"] += 1
        if kind == "lost" and job.alone:
            job.attempts += 1
            self.bury(job, "worker_lost")
            job.note("failed", job.attempts, worker)
        else:
            job.note(kind, job.attempts + 1, worker)
            self.join(job, job.place, job.since)

    def part(self, worker: str, kind: str) -> None:
        """A worker is gone, and what it held is given back."""
        for job in self.held(worker):
            self.give_back(job, kind)
        self.counts["workers_lost",] += kind == "lost" and worker in self.workers
        self.workers.pop(worker, None)

    def take_back(self) -> None:
        """Workers whose lease has ended are lost, except in the grace after an outage."""
        for worker in [worker for worker, ends in self.workers.items() if ends <= self.now >= self.grace_until]:
            self.part(worker, "lost")

    def heartbeat(self, worker: str, received: int, named: dict[str, int]) -> list[str] | None:
        """Renew; release what the worker should know of and does not name; tell it what was cancelled."""
        if worker not in self.workers:
            return None
        self.register(worker)
        for job in self.held(worker):
            if job.number <= received and named.get(job.job_id) != job.number:
                self.give_back(job, "released")
        self.settle_up()
        return sorted(job.job_id for job in self.held(worker) if job.cancelling)
