"""The plan table: what a tenant of each plan may do.

These rows are put into PostgreSQL where they are missing; from then on its table ``plans`` is the truth.
``jobfleet.toml`` may change these rows and name further plans (see ``settings``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from .errors import ConfigurationError

#: The plan of every tenant of which nothing else is known.
FREE = "free"
#: What each limit may be, the least and the most. The rate's most is what its exact count keeps in memory per tenant.
RANGES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "concurrency": (1, 10_000),
        "max_jobs_per_minute": (1, 1_000_000),
        "weight": (1, 1_000),
        "max_backlog": (1, 1_000_000_000),
    }
)
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One row of the table.

    Raises:
      ValueError: the name or a limit is not what is allowed.
    """

    name: str
    #: Jobs of one tenant that run at once, over all queues and workers.
    concurrency: int
    #: Jobs that one tenant may send in any 60 seconds.
    max_jobs_per_minute: int
    #: Share of the workers while tenants wait for them.
    weight: int
    #: Jobs of one tenant that are not over.
    max_backlog: int

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} names no plan; allowed are 1 to 64 of the characters A-Z a-z 0-9 . _ -")
        for limit in RANGES:
            check_limit(limit, getattr(self, limit))


def check_limit(name: str, value: object) -> None:
    """Do nothing when a limit is what is allowed.

    Raises:
      ValueError: it is not; says what is.
    """
    least, most = RANGES[name]
    # A bool is an int to Python, and one job at a time to nobody else.
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name} is {value!r}; allowed is a whole number from {least} to {most:,}")


def _table(*plans: Plan) -> MappingProxyType[str, Plan]:
    return MappingProxyType({plan.name: plan for plan in plans})


#: The plans that every fleet has, the smallest first.
PLANS = _table(
    Plan(name=FREE, concurrency=2, max_jobs_per_minute=10, weight=1, max_backlog=1_000),
    Plan(name="starter", concurrency=5, max_jobs_per_minute=50, weight=2, max_backlog=10_000),
    Plan(name="pro", concurrency=10, max_jobs_per_minute=200, weight=4, max_backlog=100_000),
    Plan(name="enterprise", concurrency=20, max_jobs_per_minute=1_000, weight=8, max_backlog=1_000_000),
)


def merge_plans(rows: Any) -> dict[str, Plan]:
    """The table of ``plans`` with the rows of the file's ``[plans.NAME]`` laid over it.

    Raises:
      ConfigurationError: a row is wrong; says which, and what is allowed.
    """
    if not isinstance(rows, Mapping):
        raise ConfigurationError("plans in the configuration file must be tables, such as [plans.pro]")
    return {**PLANS, **{name: _merged(name, row) for name, row in rows.items()}}


def _merged(name: str, row: Any) -> Plan:
    if not isinstance(row, Mapping) or (unknown := set(row) - set(RANGES)):
        wrong = ", ".join(sorted(unknown)) if isinstance(row, Mapping) else str(row)
        raise ConfigurationError(f"[plans.{name}] has {wrong}; allowed are {', '.join(RANGES)}")
    known = PLANS.get(name)
    if known is None and (missing := [limit for limit in RANGES if limit not in row]):
        raise ConfigurationError(f"[plans.{name}] is a new plan and needs {', '.join(missing)} too")
    try:
        return replace(known, **row) if known else Plan(name=name, **row)
    except ValueError as error:
        raise ConfigurationError(f"[plans.{name}] {error}") from None
