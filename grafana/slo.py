"""The dashboard SLO and pipeline: do jobs start in time, and do the parts that watch work."""

from __future__ import annotations

from . import variable
from .column import Column
from .dashboard import Dashboard
from .graph import Graph
from .link import CELL_QUEUE, SERIES_QUEUE
from .metrics import SLO_STARTS, SLO_VIOLATIONS, WAIT, WAIT_OBJECTIVE
from .pipeline import PIPELINE
from .prom_query import PromQuery
from .row import Row
from .series import PREFIX
from .stat import Stat
from .table import Table
from .thresholds import Thresholds

#: Share of starts that may be late: 99 of 100 start within their queue's objective.
BUDGET = 0.01

#: The long windows over which the alerts look.
WINDOWS = ("1h", "6h", "1d", "3d")

#: Share of starts in time.
IN_TIME = Thresholds("red", ((0.99, "yellow"), (0.999, "green")))
#: Share of starts that were late.
LATE = Thresholds("green", ((0.001, "yellow"), (BUDGET, "red")))
#: How many times faster than allowed the budget is used up.
BURN = Thresholds("green", ((1, "yellow"), (6, "orange"), (14.4, "red")))


def late(*by: str) -> str:
    """Share of the starts in the chosen time that were late; 0 where nothing started."""
    starts = SLO_STARTS.growth(*by)
    return f"{SLO_VIOLATIONS.growth(*by)} / ({starts} > 0) or 0 * {SLO_STARTS.now(*by)}"


def late_ratio(*by: str, window: str) -> str:
    """The same within a window, of the worst queue, as the alerts see it; nothing where nothing started.

    Recorded by ``deploy/prometheus/rules``: days would take seconds to count at every point of a graph.
    """
    recorded = f"queue:{PREFIX}wait_slo_violations_per_starts:ratio_rate{window}"
    chosen = f'{recorded}{{namespace=~"$namespace", queue=~"$queue"}}'
    return f"max by ({', '.join(by)}) ({chosen})" if by else f"max({chosen})"


def burn(*by: str, window: str) -> str:
    """How many times faster than allowed the budget was used up within a window."""
    return f"{late_ratio(*by, window=window)} / {BUDGET:g}"


OBJECTIVE = Row(
    "Do jobs start in time?",
    (
        Stat(
            title="Started in time",
            description="Share of the starts in the chosen time that kept their queue's objective (high tier 30 s, "
            "medium 2 min, low 10 min). The aim is 99%.",
            unit="percentunit",
            decimals=2,
            queries=(PromQuery(expr=f"1 - ({late()})", instant=True),),
            thresholds=IN_TIME,
            alarming=True,
        ),
        Stat(
            title="Started",
            description="Starts in the chosen time.",
            unit="locale",
            decimals=0,
            queries=(PromQuery(expr=SLO_STARTS.growth(), instant=True),),
        ),
        Stat(
            title="Started late",
            description="Starts in the chosen time of jobs that had waited beyond the objective.",
            unit="locale",
            decimals=0,
            queries=(PromQuery(expr=SLO_VIOLATIONS.growth(), instant=True),),
            thresholds=Thresholds("green", ((1, "yellow"),)),
        ),
        Stat(
            title="Budget burns, by window",
            description="How many times faster than allowed (1 late start of 100) the queue that is worst off uses "
            "its budget up. The alerts page at 14.4 in an hour and 6 in six hours; 3 in a day and 1 in "
            "three days are warnings.",
            unit="suffix:x",
            decimals=1,
            width=12,
            queries=tuple(PromQuery(expr=burn(window=window), legend=window, instant=True) for window in WINDOWS),
            thresholds=BURN,
            named=True,
        ),
        Graph(
            title="Late starts",
            description="Share of the starts of the last five minutes that were late, by queue.",
            unit="percentunit",
            reach=2 * BUDGET,
            queries=(PromQuery(expr=late_ratio("queue", window="5m"), legend="{{queue}}"),),
            thresholds=Thresholds("transparent", ((BUDGET, "red"),)),
            limit_line=True,
            links=SERIES_QUEUE,
        ),
        Graph(
            title="How fast the budget burns",
            description="Of the queue that is worst off, in the windows that the alerts look at; 1 is what is allowed.",
            unit="suffix:x",
            reach=2,
            queries=tuple(PromQuery(expr=burn(window=window), legend=window) for window in ("5m", "30m", *WINDOWS)),
            thresholds=Thresholds("transparent", ((1, "orange"), (14.4, "red"))),
            limit_line=True,
        ),
        Table(
            title="Queues",
            description="The objective of each queue, what became of it in the chosen time, and how fast the budget "
            "burns.",
            labels=(("queue", "Queue"),),
            sort="Late",
            height=11,
            columns=(
                Column(title="Queue", links=CELL_QUEUE, width=170),
                Column(title="Objective", expr=WAIT_OBJECTIVE.now("queue", how="max"), unit="s", decimals=0),
                Column(title="Started", expr=SLO_STARTS.growth("queue"), unit="locale", decimals=0),
                Column(title="Late", expr=SLO_VIOLATIONS.growth("queue"), unit="locale", decimals=0),
                Column(
                    title="Share late",
                    expr=late("queue"),
                    unit="percentunit",
                    decimals=2,
                    thresholds=LATE,
                ),
                Column(title="Burn 1h", expr=burn("queue", window="1h"), unit="suffix:x", decimals=1, thresholds=BURN),
                Column(title="Burn 6h", expr=burn("queue", window="6h"), unit="suffix:x", decimals=1, thresholds=BURN),
                Column(title="Burn 3d", expr=burn("queue", window="3d"), unit="suffix:x", decimals=1, thresholds=BURN),
                Column(title="Wait, median", expr=WAIT.quantile(0.5, "queue", window="$__range"), unit="s", decimals=2),
                Column(title="95 of 100", expr=WAIT.quantile(0.95, "queue", window="$__range"), unit="s", decimals=2),
                Column(title="99 of 100", expr=WAIT.quantile(0.99, "queue", window="$__range"), unit="s", decimals=2),
            ),
        ),
    ),
)

SLO = Dashboard(
    uid="jobfleet-slo",
    title="jobfleet / SLO and pipeline",
    description="Do jobs start in time, and do the parts that write down and watch do their work.",
    rows=(OBJECTIVE, PIPELINE),
    variables=(variable.queue(),),
    hours=6,
)
