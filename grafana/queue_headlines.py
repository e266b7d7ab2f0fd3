"""The numbers on top of the dashboard Queue."""

from __future__ import annotations

from .metrics import DEAD_LETTERED, JOBS, OLDEST_WAIT, PAUSED, WORKERS
from .prom_query import PromQuery
from .queue_signs import FAILING_OF_ALL, RUN_SHARE, UTILIZATION_OF_ALL, WAIT_SHARE
from .row import Row
from .stat import Stat
from .thresholds import BETTER_NONE, BUSY_SHARE, FAILING_SHARE, NONE_ALLOWED, SHARE_OF_LIMIT, Thresholds

HEADLINES = Row(
    "Now",
    (
        Stat(
            title="Waiting",
            description="Jobs that could start now if there were a free thread.",
            unit="short",
            width=3,
            queries=(PromQuery(expr=JOBS.now(state="waiting")),),
            spark=True,
        ),
        Stat(
            title="Oldest wait",
            description="How long the oldest job waits that could run.",
            unit="s",
            decimals=1,
            width=3,
            queries=(PromQuery(expr=OLDEST_WAIT.now(how="max")),),
            spark=True,
        ),
        Stat(
            title="Of its objective",
            description="The same as a share of the queue's objective; from 100% on jobs start too late.",
            unit="percentunit",
            decimals=0,
            width=3,
            queries=(PromQuery(expr=f"max({WAIT_SHARE})"),),
            thresholds=SHARE_OF_LIMIT,
            alarming=True,
        ),
        Stat(
            title="Failing runs",
            description="Share of the runs within the time that is looked at which failed: for good, to be retried, or lost.",
            unit="percentunit",
            decimals=1,
            width=3,
            queries=(PromQuery(expr=FAILING_OF_ALL, instant=True),),
            thresholds=FAILING_SHARE,
            alarming=True,
        ),
        Stat(
            title="New dead letters",
            description="Jobs that failed for good within the time that is looked at.",
            unit="short",
            decimals=0,
            width=3,
            queries=(PromQuery(expr=DEAD_LETTERED.increase(), instant=True),),
            thresholds=NONE_ALLOWED,
            alarming=True,
        ),
        Stat(
            title="Dead letters",
            description="Jobs that failed for good and that nobody has replayed or discarded yet.",
            unit="short",
            width=3,
            queries=(PromQuery(expr=JOBS.now(state="dead")),),
            thresholds=BETTER_NONE,
            spark=True,
        ),
        Stat(
            title="Workers",
            description="Worker processes that serve the queue; a process that serves several counts in each.",
            unit="short",
            width=3,
            queries=(PromQuery(expr=WORKERS.now()),),
            thresholds=Thresholds("orange", ((1, "green"),)),
        ),
        Stat(
            title="Paused",
            description="Queues that an operator has paused: what runs goes on, nothing starts.",
            unit="short",
            width=3,
            queries=(PromQuery(expr=PAUSED.now(), instant=True),),
            thresholds=Thresholds("green", ((1, "blue"),)),
            alarming=True,
        ),
        Stat(
            title="Parked",
            description="Jobs whose tenants have no free slot: more workers would not start them.",
            unit="short",
            width=6,
            queries=(PromQuery(expr=JOBS.now(state="parked")),),
            spark=True,
        ),
        Stat(
            title="Scheduled",
            description="Jobs whose time has not come: a delay, a backoff, or their tenant's rate.",
            unit="short",
            width=6,
            queries=(PromQuery(expr=JOBS.now(state="scheduled")),),
            spark=True,
        ),
        Stat(
            title="Threads at work",
            description="Share of the threads that could run the queue's jobs and do.",
            unit="percentunit",
            decimals=0,
            width=6,
            queries=(PromQuery(expr=UTILIZATION_OF_ALL),),
            thresholds=BUSY_SHARE,
            spark=True,
        ),
        Stat(
            title="Oldest run, of its time limit",
            description="The job that runs longest, as a share of its queue's time limit; beyond it the run is interrupted.",
            unit="percentunit",
            decimals=0,
            width=6,
            queries=(PromQuery(expr=f"max({RUN_SHARE})"),),
            thresholds=SHARE_OF_LIMIT,
            spark=True,
        ),
    ),
)
