"""The dashboard Workers and scaling: are there enough of them, and do they live."""

from __future__ import annotations

from . import variable
from .column import Column
from .dashboard import Dashboard
from .graph import Graph
from .headlines import LOST_WORKERS, THREADS_AT_WORK, WORKERS_NOW
from .link import CELL_JOB, CELL_QUEUE, SERIES_QUEUE
from .metrics import FREE, JOBS, PROCESSED, STALE_SETTLES, THREADS, WORKERS, WORKERS_LOST
from .prom_query import PromQuery
from .queue_signs import (
    BUSY_OF_ALL,
    DRAIN,
    LOAD,
    RUN_SHARE,
    THREADS_OF_ALL,
    UNSERVED,
    UTILIZATION,
    WAIT_SHARE,
)
from .row import Row
from .sql_query import SqlQuery
from .stat import Stat
from .table import Table
from .thresholds import BETTER_NONE, BUSY_SHARE, SHARE_OF_LIMIT, Thresholds

#: More than the threads can take; ten times that.
OVERLOAD = Thresholds("green", ((1.01, "yellow"), (10, "orange")))

HEADLINES = Row(
    "Now",
    (
        WORKERS_NOW,
        Stat(
            title="Threads",
            description="Threads of workers that may run jobs of the chosen queues.",
            unit="short",
            queries=(PromQuery(expr=THREADS_OF_ALL),),
            spark=True,
        ),
        THREADS_AT_WORK,
        Stat(
            title="Unserved queues",
            description="Queues in which jobs wait and which nobody serves.",
            unit="short",
            queries=(PromQuery(expr=f"count({UNSERVED}) or vector(0)", instant=True),),
            thresholds=Thresholds("green", ((1, "red"),)),
            alarming=True,
        ),
        LOST_WORKERS,
        Stat(
            title="Late outcomes",
            description="Outcomes of runs that had been given to another worker meanwhile: a worker was presumed dead "
            "and came back. They change nothing.",
            unit="locale",
            decimals=0,
            queries=(PromQuery(expr=STALE_SETTLES.growth(), instant=True),),
            thresholds=BETTER_NONE,
        ),
    ),
)

ENOUGH = Row(
    "Are there enough?",
    (
        Table(
            title="Queues",
            description="What each queue asks of its workers. Free: threads that could start a job of it now. Load: jobs "
            "that could run for each thread; above 1 jobs wait. Time to drain: as fast as runs end now.",
            labels=(("queue", "Queue"),),
            sort="Load",
            height=11,
            columns=(
                Column(title="Queue", links=CELL_QUEUE, width=170),
                Column(title="Workers", expr=WORKERS.now("queue"), unit="locale"),
                Column(title="Threads", expr=THREADS.now("queue"), unit="locale"),
                Column(title="Free", expr=FREE.now("queue"), unit="locale"),
                Column(title="At work", expr=UTILIZATION, unit="percentunit", bar=True, thresholds=BUSY_SHARE),
                Column(title="Could run", expr=JOBS.now("queue", state="waiting|active"), unit="locale"),
                Column(title="Load", expr=LOAD, unit="short", decimals=1, thresholds=OVERLOAD),
                Column(title="Parked", expr=JOBS.now("queue", state="parked"), unit="locale"),
                Column(
                    title="Wait, of objective",
                    expr=WAIT_SHARE,
                    unit="percentunit",
                    decimals=0,
                    thresholds=SHARE_OF_LIMIT,
                ),
                Column(title="Time to drain", expr=DRAIN, unit="s", decimals=1),
                Column(
                    title="Oldest run, of limit",
                    expr=RUN_SHARE,
                    unit="percentunit",
                    decimals=0,
                    thresholds=SHARE_OF_LIMIT,
                ),
            ),
        ),
        Graph(
            title="Threads and what could run",
            description="Threads, those at work, and the jobs that could run now (running and waiting, without parked "
            "ones): what workers are scaled by. /scale counts of what waits only what tenants have free "
            "slots for.",
            unit="short",
            queries=(
                PromQuery(expr=THREADS_OF_ALL, legend="threads"),
                PromQuery(expr=BUSY_OF_ALL, legend="at work"),
                PromQuery(expr=JOBS.now(state="waiting|active"), legend="could run"),
            ),
            colors={"threads": "text", "at work": "green", "could run": "blue"},
            dashed=("threads",),
        ),
        Graph(
            title="Load",
            description="Jobs that could run for each thread, by queue; above 1 jobs wait.",
            unit="short",
            reach=2,
            queries=(PromQuery(expr=LOAD, legend="{{queue}}"),),
            thresholds=Thresholds("transparent", ((1, "orange"),)),
            limit_line=True,
            links=SERIES_QUEUE,
        ),
        Graph(
            title="Threads at work, by queue",
            description="Share of the threads that could run a job of the queue and do; some may be at work for another "
            "queue.",
            unit="percentunit",
            least=0,
            most=1,
            queries=(PromQuery(expr=UTILIZATION, legend="{{queue}}"),),
            links=SERIES_QUEUE,
        ),
        Graph(
            title="Workers, by queue",
            description="Worker processes that serve each queue; what an autoscaler did shows here.",
            unit="short",
            queries=(PromQuery(expr=WORKERS.now("queue"), legend="{{queue}}"),),
            links=SERIES_QUEUE,
        ),
    ),
)

LIVE = Row(
    "Do they live?",
    (
        Graph(
            title="Lost per minute",
            description="Workers that died or fell silent, and runs that were lost with them. A job that lost its "
            "worker twice runs alone; a loss while alone is a dead letter.",
            unit="short",
            reach=1,
            queries=(
                PromQuery(expr=f"60 * {WORKERS_LOST.rate()}", legend="workers"),
                PromQuery(expr=f"60 * {PROCESSED.rate(outcome='lost')}", legend="runs"),
            ),
            colors={"workers": "red", "runs": "purple"},
        ),
        Graph(
            title="Oldest run, of its time limit",
            description="The job that runs longest, as a share of its queue's time limit; beyond it the run is "
            "interrupted, 30 s later it counts as stuck.",
            unit="percentunit",
            reach=1,
            queries=(
                PromQuery(
                    expr=RUN_SHARE,
                    legend="{{queue}}",
                ),
            ),
            thresholds=Thresholds("transparent", ((1, "red"),)),
            limit_line=True,
            links=SERIES_QUEUE,
        ),
        Table(
            title="Jobs by worker",
            description="What each worker holds now, as the job log knows it (a moment behind).",
            statement=SqlQuery(name="workers_running"),
            height=8,
            columns=(
                Column(title="Jobs", unit="locale"),
                Column(title="Longest", unit="s", decimals=0),
                Column(title="Longest job", links=CELL_JOB, width=320),
            ),
        ),
    ),
)

WORKERS_AND_SCALING = Dashboard(
    uid="jobfleet-workers",
    title="jobfleet / Workers and scaling",
    description="Are there enough workers, are they at work, and do they live.",
    rows=(HEADLINES, ENOUGH, LIVE),
    variables=(variable.queue(),),
)
