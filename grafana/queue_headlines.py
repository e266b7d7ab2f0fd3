"""The numbers on top of the dashboard Queue."""

from __future__ import annotations

from dataclasses import replace

from .headlines import (
    DEAD_LETTERS_NOW,
    FAILING_RUNS,
    NEW_DEAD_LETTERS,
    PARKED,
    THREADS_AT_WORK,
    WAITING,
    WORKERS_NOW,
)
from .metrics import JOBS, OLDEST_WAIT, PAUSED
from .prom_query import PromQuery
from .queue_signs import RUN_SHARE, WAIT_SHARE
from .row import Row
from .stat import Stat
from .thresholds import SHARE_OF_LIMIT, Thresholds

HEADLINES = Row(
    "Now",
    (
        WAITING,
        Stat(
            title="Oldest wait",
            description="How long the oldest job waits that could run. The time in which its tenant had no free slot "
            "does not count.",
            unit="s",
            decimals=1,
            queries=(PromQuery(expr=OLDEST_WAIT.now(how="max")),),
            spark=True,
        ),
        Stat(
            title="Of its objective",
            description="The oldest wait as a share of the queue's objective; from 100% on jobs start too late.",
            unit="percentunit",
            decimals=0,
            queries=(PromQuery(expr=f"max({WAIT_SHARE})"),),
            thresholds=SHARE_OF_LIMIT,
            alarming=True,
        ),
        FAILING_RUNS,
        NEW_DEAD_LETTERS,
        DEAD_LETTERS_NOW,
        replace(WORKERS_NOW, width=3),
        replace(THREADS_AT_WORK, width=5),
        Stat(
            title="Oldest run, of its limit",
            description="The job that runs longest, as a share of its queue's time limit; beyond it the run is "
            "interrupted.",
            unit="percentunit",
            decimals=0,
            width=5,
            queries=(PromQuery(expr=f"max({RUN_SHARE})"),),
            thresholds=SHARE_OF_LIMIT,
            spark=True,
        ),
        replace(PARKED, width=4),
        Stat(
            title="Scheduled",
            description="Jobs whose time has not come: a delay, a backoff, or their tenant's rate.",
            unit="short",
            width=4,
            queries=(PromQuery(expr=JOBS.now(state="scheduled")),),
            spark=True,
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
    ),
)
