"""The dashboard Tenants: who sends, who waits, who is refused, and what each may do."""

from __future__ import annotations

from dataclasses import replace

from . import variable
from .column import Column
from .dashboard import Dashboard
from .graph import Graph
from .headlines import PARKED
from .levels import Levels
from .link import CELL_JOB, CELL_QUEUE, CELL_TENANT
from .metrics import ADMITTED, REFUSED
from .prom_query import PromQuery
from .row import Row
from .sql_query import SqlQuery
from .stat import Stat
from .table import Table
from .thresholds import BETTER_NONE, Thresholds

#: Seconds of waiting that somebody notices: the objectives of the tiers.
WAITED = Thresholds("green", ((30, "yellow"), (120, "orange"), (600, "red")))
#: Share of sends that limits refuse; from a fifth on there is an alert.
REFUSED_SHARE = Thresholds("green", ((0.05, "yellow"), (0.2, "orange")))
#: A tenant is paused or not.
PAUSED_WORDS = {1: ("paused", "blue"), 0: ("", "transparent")}

PLAN = {"plan": "$plan"}

PLANS = Row(
    "Plans",
    (
        Stat(
            title="Let in",
            description="Jobs that tenants' limits let in in the chosen time.",
            unit="locale",
            width=6,
            decimals=0,
            queries=(PromQuery(expr=ADMITTED.growth(**PLAN), instant=True),),
        ),
        Stat(
            title="Refused",
            description="Sends that tenants' limits refused in the chosen time. Nothing was stored; the sender got an "
            "error.",
            unit="locale",
            width=6,
            decimals=0,
            queries=(PromQuery(expr=REFUSED.growth(**PLAN), instant=True),),
            thresholds=BETTER_NONE,
        ),
        Stat(
            title="Share refused",
            description="Refused sends as a share of all sends that limits judged.",
            unit="percentunit",
            width=6,
            decimals=1,
            queries=(
                PromQuery(
                    expr=f"{REFUSED.growth(**PLAN)} / ({REFUSED.growth(**PLAN)} + {ADMITTED.growth(**PLAN)} > 0)"
                    f" or 0 * {ADMITTED.now(**PLAN)}",
                    instant=True,
                ),
            ),
            thresholds=REFUSED_SHARE,
            alarming=True,
        ),
        replace(PARKED, width=6),
        Graph(
            title="Let in, by plan",
            description="Jobs that tenants' limits let in.",
            unit="count:jobs/s",
            width=8,
            queries=(PromQuery(expr=ADMITTED.rate("plan", **PLAN), legend="{{plan}}"),),
            stacked=True,
        ),
        Graph(
            title="Refused per minute, by plan",
            description="Sends that tenants' limits refused. A plan that is refused all the time is too small for its "
            "tenants.",
            unit="count:sends/min",
            width=8,
            reach=1,
            queries=(PromQuery(expr=f"60 * {REFUSED.rate('plan', **PLAN)}", legend="{{plan}}"),),
            stacked=True,
        ),
        Graph(
            title="Refused per minute, by reason",
            description="Rate: more sends in 60 s than allowed. Backlog: too many jobs that are not over. Invalid: "
            "the input, or its idempotency key with another payload.",
            unit="count:sends/min",
            width=8,
            reach=1,
            queries=(PromQuery(expr=f"60 * {REFUSED.rate('reason', **PLAN)}", legend="{{reason}}"),),
            stacked=True,
        ),
    ),
)

TOP = Row(
    "Who has most?",
    (
        Levels(
            title="Most jobs",
            description="Tenants with the most jobs that were sent in the chosen time.",
            unit="locale",
            least=0,
            query=SqlQuery(name="tenants_by_jobs"),
            rows=True,
        ),
        Levels(
            title="Most run time",
            description="Tenants whose jobs held threads longest, all attempts together.",
            unit="s",
            least=0,
            query=SqlQuery(name="tenants_by_run_time"),
            rows=True,
        ),
        Levels(
            title="Longest wait, 95 of 100",
            description="Tenants whose jobs waited longest: 95 of 100 of them started sooner. Includes the time in "
            "which their own limits held them up.",
            unit="s",
            least=0,
            query=SqlQuery(name="tenants_by_wait"),
            rows=True,
        ),
        Graph(
            title="Jobs over time, the eight with most",
            description="Jobs sent in each interval by the eight tenants that sent most.",
            unit="short",
            width=24,
            queries=(SqlQuery(name="tenants_over_time", over_time=True),),
            stacked=True,
            bars=True,
        ),
        Table(
            title="Tenants",
            description="The fifty with the most jobs that were sent in the chosen time, and where those jobs are now.",
            statement=SqlQuery(name="tenants"),
            columns=(
                Column(title="Tenant", links=CELL_TENANT),
                Column(title="Jobs", unit="locale"),
                Column(title="Completed", unit="locale"),
                Column(title="Dead", unit="locale", thresholds=BETTER_NONE),
                Column(title="Waiting", unit="locale"),
                Column(title="Running", unit="locale"),
                Column(title="Wait, 95 of 100", unit="s", decimals=1, thresholds=WAITED),
                Column(title="Run, 95 of 100", unit="s", decimals=1),
                Column(title="Last sent", unit="dateTimeFromNow", width=150),
            ),
        ),
    ),
)

WHO = Row(
    "What may they do, and what did they do?",
    (
        Table(
            title="Plans",
            description="What each plan allows, and how many tenants have it. A tenant without a row is on the plan "
            "free and not counted here.",
            statement=SqlQuery(name="plans"),
            height=6,
            columns=(
                Column(title="Plan"),
                Column(title="Tenants", unit="locale"),
                Column(title="Runs at once", unit="locale"),
                Column(title="Sent in 60 s", unit="locale"),
                Column(title="Backlog", unit="locale"),
            ),
        ),
        Table(
            title="Limits",
            description="Tenants that have a row, those that are paused and those changed last on top, and what holds "
            "for them: limits of their own, else their plan's.",
            statement=SqlQuery(name="tenants_limits"),
            columns=(
                Column(title="Tenant", links=CELL_TENANT),
                Column(title="Runs at once", unit="locale"),
                Column(title="Sent in 60 s", unit="locale"),
                Column(title="Backlog", unit="locale"),
                Column(title="Paused", words=PAUSED_WORDS),
                Column(title="Changed", unit="dateTimeFromNow", width=150),
            ),
        ),
        Table(
            title="Newest jobs",
            description="The newest hundred jobs of the tenants that are chosen; choose one above.",
            statement=SqlQuery(name="tenants_jobs"),
            height=12,
            columns=(
                Column(title="Sent", unit="dateTimeAsLocal", width=190),
                Column(title="Tenant", links=CELL_TENANT, width=110),
                Column(title="Queue", links=CELL_QUEUE, width=150),
                Column(title="Actor", width=190),
                Column(title="State", width=95),
                Column(title="Attempts", width=75),
                Column(title="Waited", unit="s", decimals=2, width=90),
                Column(title="Ran", unit="s", decimals=2, width=90),
                Column(title="Job", links=CELL_JOB, width=320),
            ),
        ),
    ),
)

TENANTS = Dashboard(
    uid="jobfleet-tenants",
    title="jobfleet / Tenants",
    description="Who sends, who waits, who is refused, and what each may do. What names a tenant comes from "
    "PostgreSQL.",
    rows=(PLANS, TOP, WHO),
    variables=(variable.queue(), variable.plan(), variable.tenant()),
)
