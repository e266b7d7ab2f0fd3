"""A fleet of several processes that counts, and somebody who counts the same without asking it."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dramatiq import Message
from journal_events import rows
from processes import Process
from wait import eventually

from jobfleet.actors import make_broker
from jobfleet.broker.errors import AdmissionError, IdempotencyConflict, TenantLimitExceeded

HERE = Path(__file__).parent

#: The queue of each of ``counted_actors``.
QUEUE_OF = {"good": "report", "second_time": "report", "never": "export", "until_told": "ai"}

#: What is counted of runs, and how the job log has it; queue and actor come first.
RUNS = "FROM job_attempts JOIN job_logs USING (job_id)"
#: Outcomes of runs that took their time.
TIMED = "('completed', 'retry', 'failed', 'skipped')"
#: Metric -> its labels, and the query that counts the same in the job log; the last column is the number.
IN_THE_LOG = {
    "jobfleet_jobs_enqueued_total": (
        ("queue", "actor"),
        "SELECT queue, job_type, count(*) FROM job_logs GROUP BY 1, 2",
    ),
    "jobfleet_jobs_processed_total": (
        ("queue", "actor", "outcome"),
        f"SELECT queue, job_type, outcome, count(*) {RUNS} GROUP BY 1, 2, 3",
    ),
    "jobfleet_job_run_seconds_count": (
        ("queue", "actor"),
        f"SELECT queue, job_type, count(*) {RUNS} WHERE outcome IN {TIMED} GROUP BY 1, 2",
    ),
    "jobfleet_job_wait_seconds_count": (("queue",), f"SELECT queue, count(*) {RUNS} GROUP BY 1"),
    "jobfleet_wait_slo_starts_total": (("queue",), f"SELECT queue, count(*) {RUNS} GROUP BY 1"),
    "jobfleet_job_attempts_sum": (
        ("queue",),
        f"SELECT queue, sum(attempt) {RUNS} WHERE outcome IN ('completed', 'failed') GROUP BY 1",
    ),
    "jobfleet_dead_lettered_total": (
        ("queue", "actor", "reason"),
        "SELECT original_queue, actor, reason, count(*) FROM dead_letters GROUP BY 1, 2, 3",
    ),
    "jobfleet_dead_discarded_total": (
        ("queue",),
        "SELECT original_queue, count(*) FROM dead_letters WHERE status = 'discarded' GROUP BY 1",
    ),
}


class CountedFleet:
    """Two worker processes, and an application in this process.

    Parameters:
      environment: what processes see, such as the fixture ``fleet_environment``; this process must see the same.
      folder: for files of the test's.
    """

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.database_url = environment["DATABASE_URL"]
        self.told = folder / "told"
        self.environment = {
            **environment,
            "PYTHONPATH": str(HERE),
            "TOLD_FILE": str(self.told),
            "JOBFLEET_LEASE_MS": "2000",
        }
        self.broker = make_broker(environment["REDIS_URL"])
        #: What the application was told: accepted jobs by queue and actor, and all else by name.
        self.accepted: Counter[tuple[str, str]] = Counter()
        self.heard: Counter[str] = Counter()

    def workers(self) -> Process:
        """Start the workers; the process watches over them."""
        queues = [part for queue in ("report", "export", "ai") for part in ("-Q", queue)]
        command = ["jobfleet", "worker", "counted_actors", "-p", "2", "-t", "4", *queues]
        return Process(command, self.environment)

    def message(self, actor: str, tenant: str, *, queue: str = "", number: int = 0, **options: Any) -> Message[Any]:
        """A job, not yet sent."""
        kwargs = {"tenant_id": tenant, **({"number": number} if actor == "good" else {})}
        return Message(
            queue_name=queue or QUEUE_OF[actor], actor_name=actor, args=(), kwargs=kwargs, options=dict(options)
        )

    def send(self, actor: str, tenant: str, *, delay: int | None = None, **options: Any) -> str | None:
        """Send a job as an application does; returns its id unless it was refused or is a duplicate."""
        message = self.message(actor, tenant, **options)
        try:
            sent = self.broker.enqueue(message, delay=delay)
        except AdmissionError as refusal:
            kinds = {TenantLimitExceeded: "rate", IdempotencyConflict: "invalid"}
            self.heard[kinds[type(refusal)]] += 1
            return None
        if sent.options.get("duplicate"):
            self.heard["duplicate"] += 1
            return None
        self.accepted[message.queue_name, actor] += 1
        return sent.message_id

    def kill_one_that_runs(self) -> None:
        """Kill a worker process that holds a job, as the kernel does when there is no memory left."""
        *_, pid, _ = eventually(self._holders)[0].split(":")
        os.kill(int(pid), signal.SIGKILL)

    def _holders(self) -> list[str]:
        """Names of the workers that hold something: host, process id, and what tells two of them apart."""
        prefix = f"{self.broker.keys.prefix}:leases:"
        return [key.decode().removeprefix(prefix) for key in self.broker.client.scan_iter(match=f"{prefix}*")]

    def told_of(self) -> list[str]:
        """Jobs of which the log knows that they run."""
        found = rows(self.database_url, "SELECT job_id FROM job_logs WHERE status = 'active'")
        return [row["job_id"] for row in found]

    def quiet(self) -> bool:
        """Nothing waits or runs, and nothing will but what was sent with a delay of hours."""
        return all(stats.waiting + stats.active == 0 for stats in self.broker.stats())


def counted_in_the_log(database_url: str, metric: str) -> dict[tuple[str, ...], float]:
    """What SQL counts, by the metric's labels."""
    labels, query = IN_THE_LOG[metric]
    found = [list(row.values()) for row in rows(database_url, query)]
    return {tuple(map(str, row[: len(labels)])): float(row[-1]) for row in found}
