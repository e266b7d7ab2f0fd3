"""What operators do to a fleet, and ask of it."""

from __future__ import annotations

from collections.abc import Collection

from .cancel_filter import CancelFilter
from .cancellation import Cancellation
from .cancelled_jobs import CancelledJobs
from .connection import reachable
from .fleet import Fleet
from .load_order import LoadOrder
from .tenant_load import TenantLoad
from .tenant_loads import read_tenant_loads
from .unfinished_jobs import UnfinishedJobs
from .why import Why, ask_why, why_over


class OperatedFleet(Fleet):
    """A fleet whose jobs, queues and actors can be stopped, resumed, hurried and asked about."""

    def cancel(self, job_id: str) -> str:
        """Cancel a job that waits; mark one that runs.

        Returns:
          ``cancelled``, ``cancelling`` (it runs), ``dead`` or ``unknown``.
        """
        with reachable(self.client):
            answer: bytes = self.scripts.call_once("cancel", job_id)
            return answer.decode()

    def cancel_matching(
        self,
        *,
        queue: str | None = None,
        tenant_id: int | str | None = None,
        actor: str | None = None,
        states: Collection[str] = ("pending", "scheduled"),
        dry_run: bool = False,
    ) -> CancelledJobs:
        """Cancel all jobs that match what is given, in bounded slices; what is sent meanwhile stays.

        >>> broker.cancel_matching(tenant_id=42, actor="send_email", dry_run=True).count
        17

        Parameters:
          queue, tenant_id, actor: exact names; at least one.
          states: ``pending``, ``scheduled`` (also what a tenant's rate holds), ``active`` (marked, as by ``cancel``).
          dry_run: change nothing, and tell what would match now.

        Raises:
          JobfleetError: no filter, or an unknown state.
        """
        wanted = CancelFilter(queue=queue, tenant_id=tenant_id, actor=actor, states=states)
        jobs = UnfinishedJobs(self.commands, self.keys)
        with reachable(self.client):
            return Cancellation(wanted, jobs, self.scripts, dry_run=dry_run).carry_out()

    def purge(self, queue_name: str, *, dry_run: bool = False) -> int:
        """Cancel all jobs of a queue that wait, are held or scheduled, in bounded slices; what runs goes on.

        Returns:
          How many they were, or with a dry run how many they are.
        """
        if dry_run:
            (stats,) = self.stats([queue_name])
            return stats.waiting + stats.delayed
        return self.cancel_matching(queue=queue_name).over

    def run_now(self, job_id: str) -> str:
        """Let a job that waits for its time, a delay or a backoff, go to the end of its line at once.

        Returns:
          ``ready`` (done), ``held`` (its tenant's rate holds it, and goes on doing so: limits are exact; a delay of
          its own is dropped), or why there is nothing to do: ``waiting``, ``active``, ``dead``, ``unknown``.
        """
        with reachable(self.client):
            answer: bytes = self.scripts.call_once("run_now", job_id)
            return answer.decode()

    def why(self, job_id: str) -> Why | None:
        """Why a job does not run yet, with the time it may run where known; None for one that nobody knows."""
        with reachable(self.client):
            if found := ask_why(self.scripts, job_id):
                return found
            logged = self.archive.job(job_id) if self.archive else None
            return why_over(logged) if logged else None

    def tenant_loads(self, most: int = 50, *, by: LoadOrder = LoadOrder.OLDEST) -> list[TenantLoad]:
        """Who waits and who runs: up to `most` of the tenants with unfinished jobs, those that wait longest first.

        Takes time for each tenant that has some, in bounded slices.
        """
        with reachable(self.client):
            return read_tenant_loads(self.commands, self.keys, self.scripts, most, by)

    def paused(self) -> list[str]:
        """What is paused, each with what it is, such as ``queue:email`` or ``actor:send_email``."""
        with reachable(self.client):
            return sorted(name.decode() for name in self.commands.smembers(self.keys.paused))

    def pause_actor(self, actor: str) -> None:
        """Start no more jobs of an actor, in whatever queue, until it is resumed; what runs goes on."""
        with reachable(self.client):
            self.commands.sadd(self.keys.paused, f"actor:{actor}")

    def resume_actor(self, actor: str) -> bool:
        """Let a paused actor go on: its jobs go back to their places in their lines.

        Interrupted half-way, the fleet's upkeep goes on with it. What its jobs waited until now does not count
        against their wait objective.

        Returns:
          Whether it was paused.
        """
        with reachable(self.client):
            was_paused: int = self.scripts.call_once("resume_actor", actor)
            self.upkeep()
            while self.commands.exists(self.keys.resuming):
                self.upkeep()
            return was_paused == 1

    def pause(self, queue_name: str) -> None:
        """Start no more jobs of a queue until it is resumed; what runs goes on."""
        with reachable(self.client):
            self.commands.sadd(self.keys.paused, f"queue:{queue_name}")

    def resume(self, queue_name: str) -> None:
        """Let a paused queue go on. What its jobs waited until now does not count against their wait objective."""
        with reachable(self.client):
            self.scripts.call_once("resume_queue", queue_name)
            self.upkeep()
