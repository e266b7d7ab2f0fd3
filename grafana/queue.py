"""The dashboard Queue: one queue, or some, in depth."""

from __future__ import annotations

from . import variable
from .column import Column
from .dashboard import Dashboard
from .graph import Graph
from .link import CELL_JOB, CELL_TENANT
from .metrics import (
    ATTEMPTS,
    BAD_OUTCOMES,
    BUSY,
    DEAD_LETTERED,
    DUPLICATES,
    ENQUEUED,
    JOBS,
    OLDEST_RUNNING,
    OLDEST_WAIT,
    PROCESSED,
    RUN,
    THREADS,
    TIME_LIMIT,
    WAIT,
    WAIT_OBJECTIVE,
)
from .prom_query import PromQuery
from .queue_headlines import HEADLINES
from .queue_signs import DRAIN
from .row import Row
from .sql_query import SqlQuery
from .table import Table
from .thresholds import BETTER_NONE, FAILING_SHARE

#: Colours from quick to slow.
SHARES = {"median": "green", "95 of 100": "orange", "99 of 100": "red"}

WAITING = Row(
    "What waits, and for how long",
    (
        Graph(
            title="Jobs that are not over",
            description="Waiting: could start now. Parked: its tenant has no free slot. Scheduled: its time has not "
            "come (delay, backoff, or its tenant's rate). Active: a worker holds it.",
            unit="short",
            queries=(PromQuery(expr=JOBS.now("state", state="waiting|parked|scheduled|active"), legend="{{state}}"),),
            stacked=True,
        ),
        Graph(
            title="Oldest wait and objective",
            description="How long the oldest job waits that could run, by queue, and the tightest objective of those "
            "chosen.",
            unit="s",
            queries=(
                PromQuery(expr=OLDEST_WAIT.now("queue", how="max"), legend="{{queue}}"),
                PromQuery(expr=WAIT_OBJECTIVE.now(how="min"), legend="objective"),
            ),
            colors={"objective": "red"},
            dashed=("objective",),
        ),
        Graph(
            title="Wait until the start",
            description="Of the jobs that started: half of them, 95 and 99 of 100 had waited no longer than this.",
            unit="s",
            queries=(
                PromQuery(expr=WAIT.quantile(0.5), legend="median"),
                PromQuery(expr=WAIT.quantile(0.95), legend="95 of 100"),
                PromQuery(expr=WAIT.quantile(0.99), legend="99 of 100"),
            ),
            colors=SHARES,
        ),
        Graph(
            title="Time to drain",
            description="How long it takes until all that waits has run, as fast as runs end at that moment. Nothing "
            "is drawn while no run ends.",
            unit="s",
            reach=1,
            queries=(PromQuery(expr=DRAIN, legend="{{queue}}"),),
        ),
    ),
)

RUNS = Row(
    "What runs, and how it ends",
    (
        Graph(
            title="In and out",
            description="Jobs that were accepted and runs that ended.",
            unit="count:jobs/s",
            queries=(
                PromQuery(expr=ENQUEUED.rate(), legend="accepted"),
                PromQuery(expr=PROCESSED.rate(), legend="runs ended"),
            ),
            colors={"accepted": "blue", "runs ended": "green"},
        ),
        Graph(
            title="Runs by outcome",
            description="Completed, to be retried, failed for good, lost with their worker, cancelled, skipped.",
            unit="count:jobs/s",
            queries=(PromQuery(expr=PROCESSED.rate("outcome"), legend="{{outcome}}"),),
            stacked=True,
        ),
        Graph(
            title="Duration of runs",
            description="Half of the runs, 95 and 99 of 100 took no longer than this.",
            unit="s",
            queries=(
                PromQuery(expr=RUN.quantile(0.5), legend="median"),
                PromQuery(expr=RUN.quantile(0.95), legend="95 of 100"),
                PromQuery(expr=RUN.quantile(0.99), legend="99 of 100"),
            ),
            colors=SHARES,
        ),
        Graph(
            title="Oldest run and time limit",
            description="How long the oldest running job is held, by queue, and the tightest time limit of those "
            "chosen: beyond it the run is interrupted, 30 s later it counts as stuck.",
            unit="s",
            queries=(
                PromQuery(expr=OLDEST_RUNNING.now("queue", how="max"), legend="{{queue}}"),
                PromQuery(expr=TIME_LIMIT.now(how="min"), legend="time limit"),
            ),
            colors={"time limit": "red"},
            dashed=("time limit",),
        ),
        Graph(
            title="Threads at work, by queue",
            description="Threads that run a job of the queue, by queue, and all that could.",
            unit="short",
            width=8,
            queries=(
                PromQuery(expr=BUSY.now("queue"), legend="{{queue}}"),
                PromQuery(expr=THREADS.now(), legend="all threads"),
            ),
            colors={"all threads": "text"},
            dashed=("all threads",),
        ),
        Graph(
            title="Attempts until the end",
            description="Mean of the attempts that a job needed until it completed, was skipped or failed for good; 1 "
            "is best.",
            unit="short",
            decimals=2,
            width=8,
            queries=(PromQuery(expr=ATTEMPTS.mean("queue"), legend="{{queue}}"),),
        ),
        Graph(
            title="Duplicates per minute",
            description="Sends whose idempotency key belonged to a job already: nothing was sent twice.",
            unit="count:sends/min",
            width=8,
            reach=1,
            queries=(PromQuery(expr=f"60 * {DUPLICATES.rate('queue')}", legend="{{queue}}"),),
        ),
    ),
)

WHICH = Row(
    "Which jobs",
    (
        Table(
            title="Actors",
            description="Job types in the chosen time: how many were accepted, how they ended, how long they took.",
            labels=(("queue", "Queue"), ("actor", "Actor")),
            sort="Accepted",
            height=8,
            columns=(
                Column(title="Queue", width=150),
                Column(title="Actor", width=260),
                Column(title="Accepted", expr=ENQUEUED.growth("queue", "actor"), unit="locale", decimals=0),
                Column(
                    title="Completed",
                    expr=PROCESSED.growth("queue", "actor", outcome="completed"),
                    unit="locale",
                    decimals=0,
                ),
                Column(
                    title="Failing",
                    expr=f"{PROCESSED.growth('queue', 'actor', outcome=BAD_OUTCOMES)} "
                    f"/ ({PROCESSED.growth('queue', 'actor')} > 0)",
                    unit="percentunit",
                    decimals=1,
                    thresholds=FAILING_SHARE,
                ),
                Column(
                    title="New dead",
                    expr=DEAD_LETTERED.growth("queue", "actor"),
                    unit="locale",
                    decimals=0,
                    thresholds=BETTER_NONE,
                ),
                Column(title="Mean run", expr=RUN.mean("queue", "actor", window="$__range"), unit="s", decimals=2),
                Column(
                    title="95 of 100 runs",
                    expr=RUN.quantile(0.95, "queue", "actor", window="$__range"),
                    unit="s",
                    decimals=2,
                ),
            ),
        ),
        Table(
            title="Longest running jobs",
            description="What workers hold now, the oldest first, as the job log knows it (a moment behind).",
            statement=SqlQuery(name="jobs_running"),
            height=8,
            columns=(
                Column(title="Running for", unit="s", decimals=0),
                Column(title="Tenant", links=CELL_TENANT),
                Column(title="Progress", unit="percentunit", decimals=0),
                Column(title="Job", links=CELL_JOB, width=320),
            ),
        ),
    ),
)

QUEUE = Dashboard(
    uid="jobfleet-queue",
    title="jobfleet / Queue",
    description="One queue, or some: what waits and why it takes its time, what runs and how it ends, which jobs it "
    "is.",
    rows=(HEADLINES, WAITING, RUNS, WHICH),
    variables=(variable.queue(),),
)
