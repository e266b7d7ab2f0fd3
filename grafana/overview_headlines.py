"""The numbers on top of the Overview."""

from __future__ import annotations

from .dashboard import FIRING
from .headlines import (
    DEAD_LETTERS_NOW,
    FAILING_RUNS,
    LOST_WORKERS,
    NEW_DEAD_LETTERS,
    SOURCES,
    THREADS_AT_WORK,
    WAITING,
)
from .metrics import JOBS, PROCESSED
from .prom_query import PromQuery
from .queue_signs import WAIT_SHARE
from .row import Row
from .stat import Stat
from .thresholds import BETTER_NONE, NONE_ALLOWED, SHARE_OF_LIMIT


def _firing(severity: str) -> PromQuery:
    return PromQuery(
        expr=f'count({FIRING}, queue=~"$queue|", severity="{severity}"}}) or vector(0)',
        instant=True,
    )


HEADLINES = Row(
    "Is anything wrong?",
    (
        Stat(
            title="Critical alerts",
            description="Alerts that page somebody and fire now. Each has a runbook; the table below names them.",
            unit="short",
            queries=(_firing("critical"),),
            thresholds=NONE_ALLOWED,
            alarming=True,
        ),
        Stat(
            title="Warnings",
            description="Alerts that want to be looked at today and fire now.",
            unit="short",
            queries=(_firing("warning"),),
            thresholds=BETTER_NONE,
            alarming=True,
        ),
        SOURCES,
        Stat(
            title="Worst wait",
            description="The oldest waiting job of the queue that is worst off, as a share of that queue's objective "
            "(high tier 30 s, medium 2 min, low 10 min). From 100% on jobs start too late.",
            unit="percentunit",
            decimals=0,
            queries=(PromQuery(expr=f"max({WAIT_SHARE})"),),
            thresholds=SHARE_OF_LIMIT,
            alarming=True,
        ),
        NEW_DEAD_LETTERS,
        FAILING_RUNS,
        WAITING,
        Stat(
            title="Running",
            description="Jobs that workers hold now.",
            unit="short",
            queries=(PromQuery(expr=JOBS.now(state="active")),),
            spark=True,
        ),
        Stat(
            title="Done per second",
            description="Runs that completed.",
            unit="count:jobs/s",
            decimals=1,
            queries=(PromQuery(expr=PROCESSED.rate(outcome="completed")),),
            spark=True,
        ),
        DEAD_LETTERS_NOW,
        THREADS_AT_WORK,
        LOST_WORKERS,
    ),
)
