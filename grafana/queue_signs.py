"""What tells whether a queue is well, as several dashboards show it."""

from __future__ import annotations

from types import MappingProxyType

from .metrics import (
    BAD_OUTCOMES,
    BUSY,
    DEAD_LETTERED,
    FLEET_BUSY,
    FLEET_THREADS,
    FLEET_WORKERS,
    JOBS,
    OLDEST_RUNNING,
    OLDEST_WAIT,
    PAUSED,
    PROCESSED,
    THREADS,
    TIME_LIMIT,
    WAIT_OBJECTIVE,
    WORKERS,
)
from .series import Series

#: Waiting time of the oldest job as a share of the queue's objective.
WAIT_SHARE = f"{OLDEST_WAIT.now('queue', how='max')} / {WAIT_OBJECTIVE.now('queue', how='max')}"

#: Threads that could run a queue's jobs; one where there is none, to be divided by.
THREADS_OR_ONE = f"clamp_min({THREADS.now('queue')}, 1)"

#: Share of the threads that could run a queue's jobs and do.
UTILIZATION = f"{BUSY.now('queue')} / {THREADS_OR_ONE}"


def _once(of_queues: Series, of_fleet: Series) -> str:
    """A sum over the chosen queues in which nothing counts twice that serves several of them: at most all there is."""
    return f"({of_queues.now()} < {of_fleet.now()} or {of_fleet.now()})"


#: Worker processes that serve the chosen queues, threads of theirs that could run their jobs, and those that do.
WORKERS_OF_ALL = _once(WORKERS, FLEET_WORKERS)
THREADS_OF_ALL = _once(THREADS, FLEET_THREADS)
BUSY_OF_ALL = _once(BUSY, FLEET_BUSY)

#: Share of the threads that could run jobs of the chosen queues and do.
UTILIZATION_OF_ALL = f"{BUSY_OF_ALL} / ({THREADS_OF_ALL} > 0)"

#: Share of the runs that failed in all that is looked at, retries and lost runs included.
FAILING = (
    f"{PROCESSED.growth('queue', outcome=BAD_OUTCOMES)} / ({PROCESSED.growth('queue')} > 0) or 0 * {JOBS.now('queue')}"
)
FAILING_OF_ALL = f"{PROCESSED.growth(outcome=BAD_OUTCOMES)} / ({PROCESSED.growth()} > 0) or 0 * {JOBS.now()}"

#: Seconds until what waits has run, as fast as runs end now.
DRAIN = (
    f"{JOBS.now('queue', state='waiting|parked')} / ({PROCESSED.rate('queue', outcome='completed|failed|skipped')} > 0)"
)

#: The worst that can be said of a queue, as a number that is a key of ``SIGN_WORDS``.
SIGN = " or ".join(
    (
        f"(4 * ({JOBS.now('queue', state='waiting')} > bool 0) * ({WORKERS.now('queue')} == bool 0) > 0)",
        f"(3 * ({DEAD_LETTERED.growth('queue', window='15m')} > bool 0) > 0)",
        f"(2 * ({WAIT_SHARE} > bool 1) > 0)",
        f"(1 * {PAUSED.now('queue', how='max')} > 0)",
        f"0 * {JOBS.now('queue')}",
    )
)

#: What the signs mean, and their colours.
SIGN_WORDS = MappingProxyType(
    {
        4: ("no worker", "red"),
        3: ("dead letters grow", "red"),
        2: ("late", "orange"),
        1: ("paused", "blue"),
        0: ("well", "green"),
    }
)

#: How long the oldest run takes, as a share of the queue's time limit.
RUN_SHARE = f"{OLDEST_RUNNING.now('queue', how='max')} / {TIME_LIMIT.now('queue', how='max')}"
