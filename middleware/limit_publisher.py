"""Brings the limits that PostgreSQL has to where the broker's scripts read them.

1. Take a number from a sequence, then read: what is read is at least as new as the number.
2. Write it to Redis with the number. Redis refuses what has a lower number than it has seen, so of two that read and
   write at once, none lays something older over something newer.
3. Who was refused begins again: what it read may be of another tenant than what came between.

So whoever has committed a change and then publishes leaves Redis with that change or with a newer one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from ..broker import FairBroker
from ..broker.errors import Unavailable
from ..broker.limits import Limits
from .database import Connection, Database
from .plans import seed_plans, stored_plans
from .queries import Queries
from .tenant import limits_of

QUERIES = Queries(__file__)

#: Times that are tried before it is left to the monitor; each time somebody else has come first.
TRIES = 50
#: Times that everything at once is tried before it goes a slice at a time, which takes too little time to be disturbed.
TRIES_WHOLE = 3
#: Tenants in such a slice.
SLICE = 500


class Reading(NamedTuple):
    """What PostgreSQL said of plans and tenants."""

    plans: Mapping[str, Limits]
    tenants: Mapping[str, Limits]
    #: Those that were asked for and have no row: they are as one that nobody has ever spoken of.
    gone: Collection[str] = ()


class LimitPublisher:
    """Publishes limits of one database to one namespace.

    Parameters:
      database: where ``plans`` and ``tenants`` are.
      broker: whose scripts read them.

    Both methods raise ``Unavailable`` when PostgreSQL is away, and what the client raises when Redis is.
    """

    def __init__(self, database: Database, broker: FairBroker) -> None:
        self._database = database
        self._broker = broker

    def publish(self, tenant_ids: Iterable[str]) -> None:
        """Bring some tenants up to date; everything, when Redis knows nothing at all."""
        ids = list(tenant_ids)
        if self._broker.limits.is_empty():
            self.publish_all()
        elif ids:
            self._publish_some(ids)

    def publish_all(self) -> set[str]:
        """Replace everything that Redis knows; returns the ids of all tenants that have a row."""
        with self._database.connection() as connection:
            seed_plans(connection)
        for _ in range(TRIES_WHOLE):
            reading, taken = self._try(_all_limits, whole=True)
            if taken:
                return set(reading.tenants)
        # Here tenants change faster than all of them can be written. Who has lost its row waits for a quieter moment.
        ids = sorted(reading.tenants)
        self._insist(lambda connection: Reading(_plans(connection), {}))
        for start in range(0, len(ids), SLICE):
            self._publish_some(ids[start : start + SLICE])
        return set(ids)

    def _publish_some(self, ids: list[str]) -> None:
        self._insist(lambda connection: _limits_of(connection, ids))

    def _insist(self, read: Callable[[Connection], Reading]) -> None:
        for _ in range(TRIES):
            if self._try(read, whole=False)[1]:
                return
        raise Unavailable(f"others have published limits before us {TRIES} times in a row")

    def _try(self, read: Callable[[Connection], Reading], *, whole: bool) -> tuple[Reading, bool]:
        """What was read, and whether Redis has taken it."""
        with self._database.connection() as connection:
            version = _number(connection, "next_version")
            reading = read(connection)
        plans, tenants, gone = reading
        taken = self._broker.limits.publish(plans, tenants, whole=whole, gone=gone, version=version)
        if not taken:
            self._pass(self._broker.limits.version())
        return reading, taken

    def _pass(self, version: int) -> None:
        with self._database.connection() as connection:
            _number(connection, "pass_version", version=version)


def _number(connection: Connection, statement: str, **values: Any) -> int:
    row = connection.execute(QUERIES[statement], values).fetchone()
    return int(next(iter(row.values()))) if row else 0


def _plans(connection: Connection) -> dict[str, Limits]:
    return {
        name: Limits(
            plan=name,
            concurrency=plan.concurrency,
            per_minute=plan.max_jobs_per_minute,
            weight=plan.weight,
            max_backlog=plan.max_backlog,
        )
        for name, plan in stored_plans(connection).items()
    }


def _all_limits(connection: Connection) -> Reading:
    plans = _plans(connection)
    rows = connection.execute(QUERIES["all_limits"])
    return Reading(plans, {row["tenant_id"]: limits_of(row) for row in rows})


def _limits_of(connection: Connection, tenant_ids: list[str]) -> Reading:
    rows = connection.execute(QUERIES["limits_of"], {"tenant_ids": tenant_ids})
    found = {row["tenant_id"]: limits_of(row) for row in rows}
    return Reading({}, found, [tenant for tenant in tenant_ids if tenant not in found])
