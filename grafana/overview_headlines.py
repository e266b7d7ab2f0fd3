"""The numbers on top of the Overview."""

from __future__ import annotations

from .dashboard import FIRING
from .metrics import DEAD_LETTERED, JOBS, PROCESSED, SOURCE_UP, WORKERS_LOST
from .prom_query import PromQuery
from .queue_signs import FAILING_OF_ALL, UTILIZATION_OF_ALL, WAIT_SHARE
from .row import Row
from .stat import Stat
from .thresholds import BETTER_NONE, BUSY_SHARE, FAILING_SHARE, NONE_ALLOWED, SHARE_OF_LIMIT, UP, UP_WORDS


def _firing(severity: str) -> str:
    return f'count({FIRING}, queue=~"$queue|", severity="{severity}"}}) or vector(0)'


HEADLINES = Row(
    "Is anything wrong?",
    (
        Stat(
            title="Critical alerts",
            description="Alerts that page somebody and fire now. Each has a runbook; the table below names them.",
            unit="short",
            queries=(PromQuery(expr=_firing("critical"), instant=True),),
            thresholds=NONE_ALLOWED,
            alarming=True,
        ),
        Stat(
            title="Warnings",
            description="Alerts that want to be looked at today and fire now.",
            unit="short",
            queries=(PromQuery(expr=_firing("warning"), instant=True),),
            thresholds=BETTER_NONE,
            alarming=True,
        ),
        Stat(
            title="Sources",
            description="Whether Redis and PostgreSQL answer the monitor. Without Redis nothing runs; without PostgreSQL "
            "jobs run on, and the journal keeps what the job log has to learn.",
            unit="short",
            queries=(PromQuery(expr=SOURCE_UP.now("source", how="max"), legend="{{source}}", instant=True),),
            thresholds=UP,
            words=UP_WORDS,
            alarming=True,
            named=True,
        ),
        Stat(
            title="Worst wait, of its objective",
            description="The oldest waiting job of the queue that is worst off, as a share of that queue's objective "
            "(high tier 30 s, medium 2 min, low 10 min). From 100% on jobs start too late.",
            unit="percentunit",
            decimals=0,
            queries=(PromQuery(expr=f"max({WAIT_SHARE})"),),
            thresholds=SHARE_OF_LIMIT,
            alarming=True,
        ),
        Stat(
            title="New dead letters",
            description="Jobs that failed for good within the time that is looked at, also those that were replayed or "
            "discarded since.",
            unit="short",
            decimals=0,
            queries=(PromQuery(expr=DEAD_LETTERED.increase(), instant=True),),
            thresholds=NONE_ALLOWED,
            alarming=True,
        ),
        Stat(
            title="Failing runs",
            description="Share of the runs within the time that is looked at which failed: for good, to be retried, or "
            "because their worker was lost.",
            unit="percentunit",
            decimals=1,
            queries=(PromQuery(expr=FAILING_OF_ALL, instant=True),),
            thresholds=FAILING_SHARE,
            alarming=True,
        ),
        Stat(
            title="Waiting",
            description="Jobs that could start now if there were a free thread.",
            unit="short",
            queries=(PromQuery(expr=JOBS.now(state="waiting")),),
            spark=True,
        ),
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
            queries=(PromQuery(expr=PROCESSED.rate(outcome="completed")),),
            spark=True,
        ),
        Stat(
            title="Dead letters",
            description="Jobs that failed for good and that nobody has replayed or discarded yet.",
            unit="short",
            queries=(PromQuery(expr=JOBS.now(state="dead")),),
            thresholds=BETTER_NONE,
            spark=True,
        ),
        Stat(
            title="Threads at work",
            description="Share of the workers' threads that run a job. Full is no fault while nobody waits too long.",
            unit="percentunit",
            decimals=0,
            queries=(PromQuery(expr=UTILIZATION_OF_ALL),),
            thresholds=BUSY_SHARE,
            spark=True,
        ),
        Stat(
            title="Workers lost",
            description="Worker processes that died or fell silent within the time that is looked at. Their jobs went "
            "back to the front of their lines.",
            unit="short",
            decimals=0,
            queries=(PromQuery(expr=WORKERS_LOST.increase(), instant=True),),
            thresholds=BETTER_NONE,
        ),
    ),
)
