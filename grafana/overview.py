"""The dashboard Overview: is anything wrong, and where."""

from __future__ import annotations

from . import variable
from .column import Column
from .dashboard import FIRING, Dashboard
from .graph import Graph
from .link import CELL_ALERT, CELL_QUEUE, SERIES_QUEUE
from .metrics import (
    BAD_OUTCOMES,
    DEAD_LETTERED,
    ENQUEUED,
    JOBS,
    OLDEST_WAIT,
    PROCESSED,
    REFUSED,
    WORKERS,
)
from .overview_headlines import HEADLINES
from .prom_query import PromQuery
from .queue_signs import BUSY_OF_ALL, FAILING, SIGN, SIGN_WORDS, THREADS_OF_ALL, UTILIZATION, WAIT_SHARE
from .row import Row
from .table import Table
from .thresholds import (
    BETTER_NONE,
    BUSY_SHARE,
    FAILING_SHARE,
    NONE_ALLOWED,
    SHARE_OF_LIMIT,
    Thresholds,
)

WHERE = Row(
    "Where?",
    (
        Table(
            title="Queues",
            description="Each queue, the worst on top; a click on its name leads to it. The sign is the worst that is "
            "true: no worker although jobs wait, dead letters within 15 minutes, a wait beyond the "
            "objective, paused.",
            labels=(("queue", "Queue"),),
            sort="Sign",
            height=11,
            columns=(
                Column(title="Queue", links=CELL_QUEUE, width=150),
                Column(title="Sign", expr=SIGN, words=SIGN_WORDS, width=130),
                Column(title="Waiting", expr=JOBS.now("queue", state="waiting"), unit="locale"),
                Column(title="Oldest wait", expr=OLDEST_WAIT.now("queue", how="max"), unit="s", decimals=1),
                Column(
                    title="Of objective", expr=WAIT_SHARE, unit="percentunit", decimals=0, thresholds=SHARE_OF_LIMIT
                ),
                Column(title="Parked", expr=JOBS.now("queue", state="parked"), unit="locale"),
                Column(title="Scheduled", expr=JOBS.now("queue", state="scheduled"), unit="locale"),
                Column(title="Running", expr=JOBS.now("queue", state="active"), unit="locale"),
                Column(title="Done/s", expr=PROCESSED.rate("queue", outcome="completed"), unit="short", decimals=1),
                Column(title="Failing", expr=FAILING, unit="percentunit", decimals=1, thresholds=FAILING_SHARE),
                Column(
                    title="New dead",
                    expr=DEAD_LETTERED.growth("queue"),
                    unit="locale",
                    decimals=0,
                    thresholds=NONE_ALLOWED,
                ),
                Column(title="Dead", expr=JOBS.now("queue", state="dead"), unit="locale", thresholds=BETTER_NONE),
                Column(title="Workers", expr=WORKERS.now("queue"), unit="locale"),
                Column(
                    title="At work", expr=UTILIZATION, unit="percentunit", bar=True, thresholds=BUSY_SHARE, width=110
                ),
            ),
        ),
        Table(
            title="Firing alerts",
            description="All alerts that fire now, also those that Alertmanager holds back because another one says "
            "more.",
            labels=(("severity", "Severity"), ("alertname", "Alert"), ("queue", "Queue")),
            width=8,
            height=8,
            sort="Severity",
            rising=True,
            columns=(
                Column(title="Severity", width=80),
                Column(title="Alert", links=CELL_ALERT),
                Column(title="Queue", links=CELL_QUEUE, width=140),
                Column(
                    title="Count",
                    expr=f'count by (severity, alertname, queue) ({FIRING}, queue=~"$queue|"}})',
                    hidden=True,
                ),
            ),
        ),
        Graph(
            title="Waiting jobs",
            description="Jobs that could start now if there were a free thread, by queue.",
            unit="short",
            width=8,
            reach=10,
            queries=(PromQuery(expr=JOBS.now("queue", state="waiting"), legend="{{queue}}"),),
            links=SERIES_QUEUE,
        ),
        Graph(
            title="Oldest wait, of its objective",
            description="How long the oldest job waits that could run, as a share of its queue's objective. The time "
            "in which its tenant had no free slot does not count.",
            unit="percentunit",
            width=8,
            reach=1,
            queries=(PromQuery(expr=WAIT_SHARE, legend="{{queue}}"),),
            thresholds=Thresholds("transparent", ((1, "red"),)),
            limit_line=True,
            links=SERIES_QUEUE,
        ),
    ),
)

TREND = Row(
    "How does it go?",
    (
        Graph(
            title="In and out",
            description="Jobs that were accepted and runs that ended with a result. While more comes in than goes "
            "out, what waits grows.",
            unit="count:jobs/s",
            queries=(
                PromQuery(expr=ENQUEUED.rate(), legend="accepted"),
                PromQuery(expr=PROCESSED.rate(outcome="completed|failed|skipped"), legend="over"),
            ),
            colors={"accepted": "blue", "over": "green"},
        ),
        Graph(
            title="Done",
            description="Runs that completed, by queue.",
            unit="count:jobs/s",
            queries=(PromQuery(expr=PROCESSED.rate("queue", outcome="completed"), legend="{{queue}}"),),
            stacked=True,
            links=SERIES_QUEUE,
        ),
        Graph(
            title="Runs that did not complete",
            description="By outcome: failed for good, to be retried, lost with their worker, cancelled, skipped.",
            unit="count:jobs/s",
            reach=1,
            queries=(
                PromQuery(
                    expr=PROCESSED.rate("outcome", outcome=f"{BAD_OUTCOMES}|cancelled|skipped"),
                    legend="{{outcome}}",
                ),
            ),
            stacked=True,
        ),
        Graph(
            title="New dead letters per minute",
            description="Counted when they die, so a replay hides nothing.",
            unit="count:jobs/min",
            reach=1,
            queries=(PromQuery(expr=f"60 * {DEAD_LETTERED.rate('queue')}", legend="{{queue}}"),),
            stacked=True,
            links=SERIES_QUEUE,
        ),
        Graph(
            title="Threads",
            description="Threads that run a job, and all that could, each counted once however many queues it serves.",
            unit="short",
            queries=(
                PromQuery(expr=THREADS_OF_ALL, legend="all"),
                PromQuery(expr=BUSY_OF_ALL, legend="at work"),
            ),
            colors={"all": "text", "at work": "green"},
            dashed=("all",),
        ),
        Graph(
            title="Refused sends per minute",
            description="Sends that a tenant's limits refused, by plan. Nothing was stored; the sender got an error.",
            unit="count:sends/min",
            reach=1,
            queries=(PromQuery(expr=f"60 * {REFUSED.rate('plan')}", legend="{{plan}}"),),
            stacked=True,
        ),
    ),
)

OVERVIEW = Dashboard(
    uid="jobfleet-overview",
    title="jobfleet / Overview",
    description="Is anything wrong in the fleet, and where: the first page for whoever is paged.",
    rows=(HEADLINES, WHERE, TREND),
    variables=(variable.queue(),),
)
