"""What operators and the fleet's upkeep may do to the model."""

from __future__ import annotations

from collections.abc import Iterable

from model import Model
from model_job import Job


class OperatedModel(Model):
    """The model with the operators' commands."""

    def leave(self, worker: str) -> None:
        """A worker says goodbye."""
        self.part(worker, "released")
        self.settle_up()

    def bury_worker(self, worker: str) -> None:
        """A worker is known to be dead, whatever its lease and whatever grace may say."""
        self.part(worker, "lost")
        self.settle_up()

    def upkeep(self) -> None:
        """What must happen also where no worker asks."""
        self.take_back()
        self.settle_up()
        for queue in {job.queue for job in self.jobs.values()}:
            self.promote(queue)

    def resume(self, queue: str) -> None:
        """A queue goes on; until now it was an operator who made its jobs wait."""
        if queue in self.paused:
            self.paused.discard(queue)
            self.resumed[queue] = self.now

    def cancel(self, job_id: str) -> str:
        """A job that waits is over, one that runs is marked for its worker."""
        job = self.jobs.get(job_id)
        if job is None:
            return "unknown"
        if job.state == "failed":
            return "dead"
        if job.state == "active":
            job.cancelling = True
            return "cancelling"
        self.cancelled(job, job.attempts)
        return "cancelled"

    def run_now(self, job_id: str) -> str:
        """A job that waits for its time joins the end of its line."""
        job = self.jobs.get(job_id)
        if job is None:
            return "unknown"
        if job.state != "scheduled":
            return {"pending": "waiting", "failed": "dead"}.get(job.state, job.state)
        self.arrivals += 1
        self.join(job, (job.priority, self.arrivals), min(job.since, self.now))
        self.enter()
        return "ready"

    def flush(self, queue: str) -> None:
        """Nothing waits any more; what runs or is dead stays."""
        for job in self.those("pending", queue) + self.those("scheduled", queue):
            self.cancelled(job, job.attempts)

    def replay(self, job_ids: Iterable[str]) -> list[str]:
        """Dead letters join the end of their lines; their attempts go on counting."""
        replayed = self.dead(job_ids)
        for job in replayed:
            job.losses = 0
            job.note("replayed", job.attempts)
            self.wait(job, 0)
            self.counts["dead_replayed", job.queue] += 1
        self.enter()
        return [job.job_id for job in replayed]

    def discard(self, job_ids: Iterable[str]) -> list[str]:
        """Dead letters are given up."""
        discarded = self.dead(job_ids)
        for job in discarded:
            job.note("discarded", job.attempts)
            self.over(job, "discarded")
            self.counts["dead_discarded", job.queue] += 1
        return [job.job_id for job in discarded]

    def dead(self, job_ids: Iterable[str]) -> list[Job]:
        """Those of the jobs that are dead letters."""
        known = [self.jobs[job_id] for job_id in dict.fromkeys(job_ids) if job_id in self.jobs]
        return [job for job in known if job.state == "failed"]

    def next_look(self, queues: Iterable[str]) -> int:
        """Ms after which a fetch may find more without being woken, 0 for no such time."""
        moments = [job.since for queue in queues for job in self.those("scheduled", queue)]
        if self.workers:
            moments.append(max(min(self.workers.values()), self.grace_until) + 1)
        return max(min(moments) - self.now, 1) if moments else 0
