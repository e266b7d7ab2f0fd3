"""Numbers that stand on top of several dashboards."""

from __future__ import annotations

from .metrics import DEAD_LETTERED, JOBS, SOURCE_UP, WORKERS_LOST
from .prom_query import PromQuery
from .queue_signs import FAILING_OF_ALL, UTILIZATION_OF_ALL, WORKERS_OF_ALL
from .stat import Stat
from .thresholds import BETTER_NONE, BUSY_SHARE, FAILING_SHARE, NONE_ALLOWED, UP, UP_WORDS, Thresholds

SOURCES = Stat(
    title="Sources",
    description="Whether Redis and PostgreSQL answer the monitor. Without Redis nothing runs; without PostgreSQL jobs "
    "run on, and the journal keeps what the job log has to learn.",
    unit="short",
    queries=(PromQuery(expr=SOURCE_UP.now("source", how="max"), legend="{{source}}", instant=True),),
    thresholds=UP,
    words=UP_WORDS,
    alarming=True,
    named=True,
)

NEW_DEAD_LETTERS = Stat(
    title="New dead letters",
    description="Jobs that failed for good in the chosen time, also those that were replayed or discarded since.",
    unit="locale",
    decimals=0,
    queries=(PromQuery(expr=DEAD_LETTERED.growth(), instant=True),),
    thresholds=NONE_ALLOWED,
    alarming=True,
)

DEAD_LETTERS_NOW = Stat(
    title="Dead letters",
    description="Jobs that failed for good and that nobody has replayed or discarded yet; in Redis or in PostgreSQL.",
    unit="short",
    queries=(PromQuery(expr=JOBS.now(state="dead")),),
    thresholds=BETTER_NONE,
    spark=True,
)

FAILING_RUNS = Stat(
    title="Failing runs",
    description="Share of the runs in the chosen time which failed: for good, to be retried, or because their worker "
    "was lost.",
    unit="percentunit",
    decimals=1,
    queries=(PromQuery(expr=FAILING_OF_ALL, instant=True),),
    thresholds=FAILING_SHARE,
    alarming=True,
)

WAITING = Stat(
    title="Waiting",
    description="Jobs that could start now if there were a free thread.",
    unit="short",
    queries=(PromQuery(expr=JOBS.now(state="waiting")),),
    spark=True,
)

PARKED = Stat(
    title="Parked",
    description="Jobs that wait for a slot of their own tenant: more workers would not start them.",
    unit="short",
    queries=(PromQuery(expr=JOBS.now(state="parked")),),
    spark=True,
)

THREADS_AT_WORK = Stat(
    title="Threads at work",
    description="Share of the threads that could run the queues' jobs and do. Full is no fault while nobody waits too "
    "long.",
    unit="percentunit",
    decimals=0,
    queries=(PromQuery(expr=UTILIZATION_OF_ALL),),
    thresholds=BUSY_SHARE,
    spark=True,
)

WORKERS_NOW = Stat(
    title="Workers",
    description="Worker processes that live and serve the chosen queues.",
    unit="short",
    queries=(PromQuery(expr=WORKERS_OF_ALL),),
    thresholds=Thresholds("orange", ((1, "green"),)),
    spark=True,
)

LOST_WORKERS = Stat(
    title="Workers lost",
    description="Worker processes that died or fell silent in the chosen time. Their jobs went back to the front of "
    "their lines.",
    unit="locale",
    decimals=0,
    queries=(PromQuery(expr=WORKERS_LOST.growth(), instant=True),),
    thresholds=BETTER_NONE,
    alarming=True,
)
