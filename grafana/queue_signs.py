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

#: A queue of one fleet. What is asked of several at once is asked of each first: one that is well must not hide another.
ONE_QUEUE = ("namespace", "queue")


def _largest_share(part: Series, whole: Series) -> str:
    """By queue, of the fleet in which it is largest."""
    return f"max by (queue) ({part.now(*ONE_QUEUE, how='max')} / {whole.now(*ONE_QUEUE, how='max')})"


#: Waiting time of the oldest job as a share of the queue's objective.
WAIT_SHARE = _largest_share(OLDEST_WAIT, WAIT_OBJECTIVE)

#: Threads that could run a queue's jobs; one where there is none, to be divided by.
THREADS_OR_ONE = f"clamp_min({THREADS.now('queue')}, 1)"

#: Share of the threads that could run a queue's jobs and do.
UTILIZATION = f"{BUSY.now('queue')} / {THREADS_OR_ONE}"


def _once(of_queues: Series, of_fleet: Series) -> str:
    """A sum over the chosen queues in which nothing counts twice that serves several of them: at most all there is."""
    queues, fleet = of_queues.now("namespace"), of_fleet.now("namespace")
    return f"sum({queues} < {fleet} or {fleet} and {queues})"


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

#: Seconds until what waits has run, as fast as runs end now, in the fleet that takes longest.
DRAIN = (
    f"max by (queue) ({JOBS.now(*ONE_QUEUE, state='waiting|parked')} "
    f"/ ({PROCESSED.rate(*ONE_QUEUE, outcome='completed|failed|skipped')} > 0))"
)

#: Jobs that could run now, running ones included, for each thread there is, in the fleet that has most; a queue without
#: any thread counts as one.
LOAD = f"max by (queue) ({JOBS.now(*ONE_QUEUE, state='waiting|active')} / clamp_min({THREADS.now(*ONE_QUEUE)}, 1))"

#: What waits in queues that nobody serves, by fleet and queue.
UNSERVED = f"({JOBS.now(*ONE_QUEUE, state='waiting')} > 0 and {WORKERS.now(*ONE_QUEUE)} == 0)"

_SIGNS = " or ".join(
    (
        f"(4 * ({UNSERVED} > bool 0))",
        f"(3 * ({DEAD_LETTERED.growth(*ONE_QUEUE, window='15m')} > bool 0) > 0)",
        f"(2 * ({OLDEST_WAIT.now(*ONE_QUEUE, how='max')} > bool {WAIT_OBJECTIVE.now(*ONE_QUEUE, how='max')}) > 0)",
        f"(1 * {PAUSED.now(*ONE_QUEUE, how='max')} > 0)",
        f"0 * {JOBS.now(*ONE_QUEUE)}",
    )
)
#: The worst that can be said of a queue in any fleet, as a number that is a key of ``SIGN_WORDS``.
SIGN = f"max by (queue) ({_SIGNS})"

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
RUN_SHARE = _largest_share(OLDEST_RUNNING, TIME_LIMIT)
