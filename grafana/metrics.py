"""The metrics that dashboards ask for, as ``monitoring/metrics.py`` and ``monitoring/seen.py`` export them.

Written down again because this room stands below that one; a test holds the two together.
"""

from __future__ import annotations

from .series import Series

ENQUEUED = Series("jobs_enqueued_total", ("queue", "actor"))
PROCESSED = Series("jobs_processed_total", ("queue", "actor", "outcome"))
DEAD_LETTERED = Series("dead_lettered_total", ("queue", "actor", "reason"))
REPLAYED = Series("dead_replayed_total", ("queue",))
DISCARDED = Series("dead_discarded_total", ("queue",))
ADMITTED = Series("tenant_admitted_total", ("plan", "queue"))
REFUSED = Series("tenant_refused_total", ("plan", "queue", "reason"))
DUPLICATES = Series("duplicates_total", ("queue",))
SLO_STARTS = Series("wait_slo_starts_total", ("queue",))
SLO_VIOLATIONS = Series("wait_slo_violations_total", ("queue",))
WORKERS_LOST = Series("workers_lost_total")
LOG_LEFT_OUT = Series("log_left_out_total")
STALE_SETTLES = Series("stale_settles_total")

WAIT = Series("job_wait_seconds", ("queue",))
RUN = Series("job_run_seconds", ("queue", "actor"))
ATTEMPTS = Series("job_attempts", ("queue",))

JOBS = Series("queue_jobs", ("queue", "state"))
OLDEST_WAIT = Series("queue_oldest_wait_seconds", ("queue",))
OLDEST_DEAD = Series("dead_oldest_age_seconds", ("queue",))
OLDEST_RUNNING = Series("job_oldest_running_seconds", ("queue",))
PAUSED = Series("queue_paused", ("queue",))
WAIT_OBJECTIVE = Series("queue_wait_objective_seconds", ("queue",))
TIME_LIMIT = Series("queue_time_limit_seconds", ("queue",))
WORKERS = Series("workers", ("queue",))
THREADS = Series("worker_threads", ("queue",))
BUSY = Series("worker_threads_busy", ("queue",))
FREE = Series("worker_threads_free", ("queue",))
FLEET_WORKERS = Series("fleet_workers")
FLEET_THREADS = Series("fleet_threads")
FLEET_BUSY = Series("fleet_threads_busy")
JOURNAL_ENTRIES = Series("journal_lag_entries")
JOURNAL_SECONDS = Series("journal_lag_seconds")
SOURCE_UP = Series("source_up", ("source",))
UNACCOUNTED = Series("jobs_unaccounted", ("kind",))
BUILD = Series("build_info", ("version",))

#: Outcomes of runs that did not do what they should.
BAD_OUTCOMES = "failed|retry|lost"
