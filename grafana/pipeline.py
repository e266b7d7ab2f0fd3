"""The lower half of the dashboard SLO and pipeline: journal, recorder, sources, audit, version."""

from __future__ import annotations

from .column import Column
from .graph import Graph
from .headlines import SOURCES
from .metrics import BUILD, JOURNAL_ENTRIES, JOURNAL_SECONDS, LOG_LEFT_OUT, SOURCE_UP, STALE_SETTLES, UNACCOUNTED
from .prom_query import PromQuery
from .row import Row
from .stat import Stat
from .table import Table
from .thresholds import NONE_ALLOWED, UP, Thresholds

#: Where the fleet is scraped.
SCRAPE = '{job="jobfleet-monitor", namespace=~"$namespace"}'

#: Seconds that the job log may be behind.
BEHIND = Thresholds("green", ((30, "yellow"), (300, "red")))

PIPELINE = Row(
    "Do the parts that watch work?",
    (
        SOURCES,
        Stat(
            title="Monitors",
            description="Monitors that Prometheus reaches. One is enough; a second stands by.",
            unit="short",
            width=3,
            queries=(PromQuery(expr=f"sum(up{SCRAPE})", instant=True),),
            thresholds=UP,
            alarming=True,
        ),
        Stat(
            title="Log is behind",
            description="Age of the oldest event that the recorder has not written to the job log yet.",
            unit="s",
            decimals=1,
            width=3,
            queries=(PromQuery(expr=JOURNAL_SECONDS.now(how="max")),),
            thresholds=BEHIND,
            alarming=True,
        ),
        Stat(
            title="Events to write",
            description="Events that the recorder has not written yet. Sends are refused when there are too many "
            "(500,000 unless set otherwise).",
            unit="short",
            queries=(PromQuery(expr=JOURNAL_ENTRIES.now(how="max")),),
            spark=True,
        ),
        Stat(
            title="Left out",
            description="Events and rows that the job log could not take in the chosen time, or not with all that was in "
            "them. The monitor's log names each.",
            unit="locale",
            decimals=0,
            width=3,
            queries=(PromQuery(expr=LOG_LEFT_OUT.growth(), instant=True),),
            thresholds=NONE_ALLOWED,
        ),
        Stat(
            title="Unaccounted jobs",
            description="What the last audit found: jobs, counts or keys that do not fit together. jobfleet audit "
            "names them, --repair mends them.",
            unit="short",
            queries=(PromQuery(expr=UNACCOUNTED.now(), instant=True),),
            thresholds=NONE_ALLOWED,
            alarming=True,
        ),
        Stat(
            title="Version",
            description="Versions of jobfleet that monitors run; two while an update rolls out.",
            unit="short",
            width=3,
            queries=(PromQuery(expr=BUILD.now("version", how="max"), legend="{{version}}", instant=True),),
            called=True,
        ),
        Graph(
            title="How far the log is behind",
            description="Age of the oldest event that is not in the job log yet. It grows while PostgreSQL is away; "
            "jobs run on.",
            unit="s",
            width=8,
            reach=30,
            queries=(PromQuery(expr=JOURNAL_SECONDS.now(how="max"), legend="age"),),
            thresholds=BEHIND,
            limit_line=True,
        ),
        Graph(
            title="Events to write over time",
            description="Events that the recorder has not written yet.",
            unit="short",
            width=8,
            reach=10,
            queries=(PromQuery(expr=JOURNAL_ENTRIES.now(how="max"), legend="events"),),
        ),
        Graph(
            title="Sources over time",
            description="1 while Redis and PostgreSQL answer, and while Prometheus reaches a monitor.",
            unit="short",
            width=8,
            least=0,
            most=1,
            queries=(
                PromQuery(expr=SOURCE_UP.now("source", how="max"), legend="{{source}}"),
                PromQuery(expr=f"max(up{SCRAPE})", legend="monitor"),
            ),
        ),
        Graph(
            title="Time of a scrape",
            description="How long the monitor takes to answer Prometheus, the slowest of all monitors.",
            unit="s",
            width=8,
            reach=0.1,
            queries=(PromQuery(expr=f"max(scrape_duration_seconds{SCRAPE})", legend="scrape"),),
        ),
        Graph(
            title="Late outcomes per minute",
            description="Outcomes of runs that had been given to another worker meanwhile; they change nothing.",
            unit="short",
            width=8,
            reach=1,
            queries=(PromQuery(expr=f"60 * {STALE_SETTLES.rate()}", legend="late"),),
        ),
        Table(
            title="What the last audit found",
            description="By kind, the most first; all are 0 in a fleet that is sound. jobfleet audit names each "
            "finding.",
            labels=(("kind", "Kind"),),
            sort="Found",
            width=8,
            height=8,
            columns=(
                Column(title="Kind"),
                Column(title="Found", expr=UNACCOUNTED.now("kind"), unit="locale", thresholds=NONE_ALLOWED),
            ),
        ),
    ),
)
