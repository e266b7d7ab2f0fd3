"""The catalogue: every metric that is exported, its name, its labels and what it means.

Counters and histograms are kept by the scripts that make the transitions, so they are exact, survive every process
and go on while PostgreSQL is away. Gauges are read at each scrape.
"""

from __future__ import annotations

from .metric import Metric

#: What all names begin with.
PREFIX = "jobfleet_"

#: How a run can end; lost runs are no attempts.
OUTCOMES = ("completed", "retry", "failed", "skipped", "cancelled", "lost")
#: Why a job is dead-lettered.
REASONS = (
    "exhausted",
    "failed",
    "permanent",
    "stuck",
    "worker_lost",
    "unknown_actor",
    "unhandled",
    "bad_result",
    "undecodable",
    "invalid",
)
#: Why a send is refused.
REFUSALS = ("rate", "backlog", "invalid")

COUNTERS = (
    Metric("jobs_enqueued", "Jobs that were accepted.", ("queue", "actor")),
    Metric("jobs_processed", "Runs that ended, by outcome.", ("queue", "actor", "outcome"), OUTCOMES),
    Metric("dead_lettered", "Jobs that failed for good, by reason.", ("queue", "actor", "reason"), REASONS),
    Metric("dead_replayed", "Dead letters that were sent again.", ("queue",)),
    Metric("dead_discarded", "Dead letters that were given up.", ("queue",)),
    Metric("tenant_admitted", "Jobs that tenants' limits let in.", ("plan", "queue")),
    Metric(
        "tenant_refused",
        "Jobs that were refused to tenants, by reason; invalid: the key of a job with another payload.",
        ("plan", "queue", "reason"),
        REFUSALS,
    ),
    Metric("duplicates", "Sends whose idempotency key belonged to a job already.", ("queue",)),
    Metric("wait_slo_starts", "Starts of jobs, as the wait objective counts them.", ("queue",)),
    Metric("wait_slo_violations", "Starts of jobs that had waited longer than the queue's objective.", ("queue",)),
    Metric("workers_lost", "Worker processes that died or fell silent."),
    Metric("log_left_out", "Events and rows that the job log could not take, or not with all that was in them."),
    Metric("stale_settles", "Outcomes of runs that had been given to another worker meanwhile."),
)

#: Seconds; kept in milliseconds. The field's last part is the bucket's upper bound, or sum.
DURATIONS = (
    Metric("job_wait_seconds", "How long jobs waited until they started.", ("queue",)),
    Metric("job_run_seconds", "How long runs took.", ("queue", "actor")),
)
#: Attempts that jobs needed; the field's last part is their number.
ATTEMPTS = Metric("job_attempts", "Attempts of jobs that completed, were skipped or failed for good.", ("queue",))

#: Upper bounds of the buckets, milliseconds, as in ``broker/lua/histograms.lua``.
BUCKETS_MS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 120000, 300000, 600000)
#: Upper bounds of the buckets of attempts.
ATTEMPT_BUCKETS = (1, 2, 3, 4, 5, 10)

#: States of jobs that are not over, and of those that failed for good.
STATES = ("waiting", "active", "scheduled", "dead", "parked")
#: What an audit may find, see ``broker.audit``.
UNACCOUNTED = (
    "backlog",
    "cancel",
    "conservation",
    "counter",
    "failure",
    "field",
    "fleet",
    "format",
    "gate",
    "ghost",
    "halted",
    "held",
    "journal",
    "key",
    "lease",
    "leases",
    "line",
    "lost",
    "parked",
    "queue",
    "records",
    "ring",
    "slots",
    "twice",
    "type",
    "waiting",
    "worker",
)
