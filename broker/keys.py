"""The name of every key, once. The Lua scripts build the same names in ``lua/keys.lua``.

All keys begin with ``{namespace}``: the braces put a whole namespace into one Cluster slot.
"""

from __future__ import annotations


class Keys:
    """The keys of one namespace."""

    def __init__(self, namespace: str) -> None:
        self.prefix = f"{{{namespace}}}"
        #: hash: job id -> packed record (see ``record``).
        self.jobs = f"{self.prefix}:jobs"
        #: stream: what happened, in order, in batches.
        self.journal = f"{self.prefix}:journal"
        #: hash: counters and histograms.
        self.metrics = f"{self.prefix}:metrics"
        #: sorted set: worker -> the moment at which its lease ends.
        self.workers = f"{self.prefix}:workers"
        #: set: every queue that was ever sent to or served.
        self.queues = f"{self.prefix}:queues"
        #: hash: actor -> packed description.
        self.actors = f"{self.prefix}:actors"
        #: set: what is paused, such as ``queue:email``.
        self.paused = f"{self.prefix}:paused"
        #: hash: job id -> why its dead letter died.
        self.failures = f"{self.prefix}:failures"
        #: hash: job id -> 1 for a running job that someone cancelled.
        self.cancels = f"{self.prefix}:cancels"
        #: hash: clock, order of arrival and more, see ``lua/fleet.lua``.
        self.fleet = f"{self.prefix}:fleet"
        #: hash: plan -> packed limits; without plans nothing is limited.
        self.plans = f"{self.prefix}:plans"
        #: hash: tenant -> packed limits, of tenants that are named.
        self.tenants = f"{self.prefix}:tenants"
        #: hash: tenant -> its leases, and tenant:back -> when it was parked last until.
        self.running = f"{self.prefix}:running"
        #: hash: tenant -> its unfinished jobs.
        self.backlog = f"{self.prefix}:backlog"
        #: hash: tenant without a free slot -> packed list of the queues whose ring it has left.
        self.parked = f"{self.prefix}:parked"
        #: hash: queue -> jobs in the lines of parked tenants.
        self.parked_jobs = f"{self.prefix}:parked-jobs"
        #: sorted set: tenant -> when its rate lets in the next held job.
        self.gates = f"{self.prefix}:gates"
        #: hash: queue -> place from which on jobs that were put aside go back; there is none when all have.
        self.resuming = f"{self.prefix}:resuming"
        #: hash: what was paused, such as ``queue:email`` -> when it was resumed last, ms.
        self.resumed = f"{self.prefix}:resumed"
        #: hash: queue -> held jobs.
        self.held_jobs = f"{self.prefix}:held"
        #: list: what was changed over HTTP and has no row in PostgreSQL yet.
        self.admin_audit = f"{self.prefix}:admin-audit"

    def waiting(self, queue: str) -> str:
        """Hash: second -> jobs that wait since then, and n -> all waiting jobs."""
        return f"{self.prefix}:waiting:{queue}"

    def suspects(self, queue: str) -> str:
        """Sorted set: job that lost its worker twice -> its place; it waits apart from the lines."""
        return f"{self.prefix}:suspects:{queue}"

    def halted(self, queue: str) -> str:
        """Sorted set: waiting job whose actor is paused -> its place."""
        return f"{self.prefix}:halted:{queue}"

    def held(self, tenant: str) -> str:
        """Sorted set: job that its tenant's rate holds -> order of arrival."""
        return f"{self.prefix}:held:{tenant}"

    def scheduled(self, queue: str) -> str:
        """Sorted set: delayed job -> when it is due."""
        return f"{self.prefix}:scheduled:{queue}"

    def active(self, queue: str) -> str:
        """Sorted set: leased job -> when it was fetched."""
        return f"{self.prefix}:active:{queue}"

    def dead(self, queue: str) -> str:
        """Sorted set: dead letter -> when it died."""
        return f"{self.prefix}:dead:{queue}"

    def line(self, queue: str, tenant: str) -> str:
        """Sorted set: a tenant's waiting jobs in the order in which they run."""
        return f"{self.prefix}:line:{queue}:{tenant}"

    def ring(self, queue: str) -> str:
        """Sorted set: tenant with waiting jobs -> virtual time of its next start."""
        return f"{self.prefix}:ring:{queue}"

    def wake(self, queue: str) -> str:
        """List: at most one token, on which an idle worker blocks."""
        return f"{self.prefix}:wake:{queue}"

    def nudge(self, process: str) -> str:
        """List: what ends the read of one process on wake tokens, with a time to live."""
        return f"{self.prefix}:nudge:{process}"

    def leases(self, worker: str) -> str:
        """Hash: job id -> packed lease, of what one worker holds."""
        return f"{self.prefix}:leases:{worker}"

    def worker(self, worker: str) -> str:
        """Hash: what one worker process says of itself, and its request numbers."""
        return f"{self.prefix}:worker:{worker}"

    def result(self, job_id: str) -> str:
        """String: the stored result of a job, with a time to live."""
        return f"{self.prefix}:result:{job_id}"

    def idempotency(self, tenant: str) -> str:
        """What the names of a tenant's idempotency keys begin with."""
        return f"{self.prefix}:key:{tenant}:"

    def times(self, tenant: str) -> str:
        """List: when a tenant's last jobs were admitted."""
        return f"{self.prefix}:times:{tenant}"

    def tags(self, queue: str) -> str:
        """Sorted set: tenant without waiting jobs -> virtual time at which it comes back."""
        return f"{self.prefix}:tags:{queue}"


def pattern_of(text: str) -> str:
    """A name as a pattern that matches itself only."""
    return "".join(f"\\{char}" if char in "*?[]\\^" else char for char in text)
