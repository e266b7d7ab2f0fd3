"""The dashboard Dead letters: what fails for good, why, whose it is, and what became of it."""

from __future__ import annotations

from . import variable
from .column import Column
from .dashboard import Dashboard
from .graph import Graph
from .headlines import DEAD_LETTERS_NOW, NEW_DEAD_LETTERS
from .levels import Levels
from .link import CELL_DEAD, CELL_QUEUE, CELL_TENANT, SERIES_QUEUE
from .metrics import DEAD_LETTERED, DISCARDED, ENQUEUED, JOBS, OLDEST_DEAD, REPLAYED
from .prom_query import PromQuery
from .row import Row
from .sql_query import SqlQuery
from .stat import Stat
from .table import Table
from .thresholds import BETTER_NONE, Thresholds

#: Seconds: a dead letter that nobody has looked at for a day, and for three.
AGE = Thresholds("green", ((86_400, "yellow"), (3 * 86_400, "orange")))
#: Share of accepted jobs that fail for good.
DYING = Thresholds("green", ((0.001, "yellow"), (0.01, "red")))

HEADLINES = Row(
    "How bad is it?",
    (
        NEW_DEAD_LETTERS,
        Stat(
            title="Of accepted jobs",
            description="New dead letters as a share of the jobs that were accepted meanwhile.",
            unit="percentunit",
            decimals=2,
            queries=(
                PromQuery(
                    expr=f"{DEAD_LETTERED.growth()} / ({ENQUEUED.growth()} > 0) or 0 * {JOBS.now()}",
                    instant=True,
                ),
            ),
            thresholds=DYING,
            alarming=True,
        ),
        DEAD_LETTERS_NOW,
        Stat(
            title="Oldest",
            description="How long the oldest dead letter is dead. None is ever dropped; somebody has to decide.",
            unit="s",
            decimals=1,
            queries=(PromQuery(expr=OLDEST_DEAD.now(how="max"), instant=True),),
            thresholds=AGE,
        ),
        Stat(
            title="Replayed",
            description="Dead letters that were sent again in the chosen time.",
            unit="locale",
            decimals=0,
            queries=(PromQuery(expr=REPLAYED.growth(), instant=True),),
        ),
        Stat(
            title="Discarded",
            description="Dead letters that were given up in the chosen time.",
            unit="locale",
            decimals=0,
            queries=(PromQuery(expr=DISCARDED.growth(), instant=True),),
        ),
    ),
)

GROWTH = Row(
    "Where and why do they grow?",
    (
        Graph(
            title="New per minute, by queue",
            description="Counted when they die, so a replay hides nothing.",
            unit="count:jobs/min",
            reach=1,
            queries=(PromQuery(expr=f"60 * {DEAD_LETTERED.rate('queue')}", legend="{{queue}}"),),
            stacked=True,
            links=SERIES_QUEUE,
        ),
        Graph(
            title="New per minute, by reason",
            description="Exhausted: all attempts failed. Permanent: trying again would not help. Stuck: beyond the "
            "time limit and not to be interrupted. worker_lost: it took its worker with it.",
            unit="count:jobs/min",
            reach=1,
            queries=(PromQuery(expr=f"60 * {DEAD_LETTERED.rate('reason')}", legend="{{reason}}"),),
            stacked=True,
        ),
        Graph(
            title="Dead letters, by queue",
            description="Dead now: neither replayed nor discarded.",
            unit="short",
            width=8,
            reach=1,
            queries=(PromQuery(expr=JOBS.now("queue", state="dead"), legend="{{queue}}"),),
            links=SERIES_QUEUE,
        ),
        Graph(
            title="Replayed and discarded per minute",
            description="What operators did with them.",
            unit="count:jobs/min",
            width=8,
            reach=1,
            queries=(
                PromQuery(expr=f"60 * {REPLAYED.rate()}", legend="replayed"),
                PromQuery(expr=f"60 * {DISCARDED.rate()}", legend="discarded"),
            ),
            colors={"replayed": "green", "discarded": "text"},
        ),
        Levels(
            title="Oldest, by queue",
            description="How long the oldest dead letter of each queue is dead.",
            unit="s",
            decimals=0,
            least=0,
            query=PromQuery(expr=OLDEST_DEAD.now("queue", how="max"), legend="{{queue}}", instant=True),
            thresholds=AGE,
            links=SERIES_QUEUE,
        ),
    ),
)

WHICH = Row(
    "Which are they?",
    (
        Table(
            title="By error",
            description="What died in the chosen time and is dead still, in groups of the same error, the largest "
            "first. One group is mostly one fault, and one replay once it is mended.",
            statement=SqlQuery(name="dead_by_error"),
            height=8,
            columns=(
                Column(title="Jobs", unit="locale", thresholds=BETTER_NONE, width=70),
                Column(title="Queue", links=CELL_QUEUE, width=150),
                Column(title="Actor", width=220),
                Column(title="Reason", width=110),
                Column(title="Tenants", unit="locale", width=80),
                Column(title="Newest", unit="dateTimeFromNow", width=150),
            ),
        ),
        Table(
            title="By queue and actor",
            description="Counted in the chosen time.",
            labels=(("queue", "Queue"), ("actor", "Actor")),
            width=9,
            height=8,
            sort="New",
            columns=(
                Column(title="Queue", links=CELL_QUEUE),
                Column(title="Actor"),
                Column(
                    title="New",
                    expr=f"{DEAD_LETTERED.growth('queue', 'actor')} > 0",
                    unit="locale",
                    decimals=0,
                    thresholds=BETTER_NONE,
                    width=80,
                ),
            ),
        ),
        Table(
            title="By plan",
            description="What died in the chosen time and is dead still, by the plan that its tenant is on now. The "
            "system's own jobs have none.",
            statement=SqlQuery(name="dead_by_plan"),
            width=6,
            height=8,
            columns=(
                Column(title="Plan"),
                Column(title="Jobs", unit="locale", width=70),
                Column(title="Tenants", unit="locale", width=70),
                Column(title="Newest", unit="dateTimeFromNow", width=110),
            ),
        ),
        Table(
            title="By tenant",
            description="Whose jobs died in the chosen time and are dead still, the most first.",
            statement=SqlQuery(name="dead_by_tenant"),
            width=9,
            height=8,
            columns=(
                Column(title="Tenant", links=CELL_TENANT),
                Column(title="Plan", width=90),
                Column(title="Jobs", unit="locale", width=70),
                Column(title="Newest", unit="dateTimeFromNow", width=130),
            ),
        ),
        Table(
            title="Newest",
            description="The newest hundred that died in the chosen time and are dead still. A click on the job leads "
            "to its traceback; jobfleet dead replay sends it again.",
            statement=SqlQuery(name="dead_newest"),
            height=11,
            columns=(
                Column(title="Died", unit="dateTimeAsLocal", width=190),
                Column(title="Queue", links=CELL_QUEUE, width=150),
                Column(title="Actor", width=220),
                Column(title="Tenant", links=CELL_TENANT, width=120),
                Column(title="Plan", width=90),
                Column(title="Attempts", width=80),
                Column(title="Job", links=CELL_DEAD, width=320),
            ),
        ),
    ),
)

DEAD_LETTERS = Dashboard(
    uid="jobfleet-dead-letters",
    title="jobfleet / Dead letters",
    description="What fails for good: how much, since when, why, whose it is, and what became of it.",
    rows=(HEADLINES, GROWTH, WHICH),
    variables=(variable.queue(),),
    hours=6,
)
