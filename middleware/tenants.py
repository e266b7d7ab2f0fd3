"""Tenants: which plan they are on, what they may do instead of it, whether they are paused.

1. A change is a row in PostgreSQL, in one transaction.
2. Then it is published to Redis, where the scripts of the whole fleet see it with their next call.
3. When Redis is away the row stays, and the monitor publishes it once Redis is back.

Plain SQL does the same a moment later: the monitor hears of each change of a row.
"""

from __future__ import annotations

import logging
from typing import Any

import redis
from dramatiq.errors import ConnectionClosed

from ..broker import FairBroker
from ..broker.errors import BacklogFull, InvalidPayload, Unavailable
from ..broker.job import SYSTEM
from ..broker.plans import FREE, RANGES, check_limit
from .database import Database, database
from .fleet_broker import fleet_broker
from .limit_publisher import LimitPublisher
from .plans import check_plan, seed_plans, stored_plans
from .queries import Queries
from .tenant import Tenant, tenant_of
from .tenant_id import tenant_text

LOGGER = logging.getLogger(__name__)
QUERIES = Queries(__file__)

#: What means that a change is stored and cannot be published now.
NOT_NOW = (redis.RedisError, ConnectionClosed, BacklogFull, Unavailable)


class Tenants:
    """The tenants of a fleet.

    Parameters:
      database: where they are stored.
      broker: whose scripts read what they may do.

    Every method raises ``Unavailable`` when PostgreSQL is away, and ``InvalidPayload`` with what is allowed when an
    argument is wrong; then nothing was changed. Those that change a tenant return it as it is afterwards.
    """

    def __init__(self, database: Database, broker: FairBroker) -> None:
        self._database = database
        self._publisher = LimitPublisher(database, broker)

    def get(self, tenant_id: int | str) -> Tenant:
        """A tenant with what holds for it; one that has no row is on the plan ``free``."""
        return self._read(checked_id(tenant_id))

    def list(
        self, *, plan: str | None = None, paused: bool | None = None, limit: int = 100, after: str | None = None
    ) -> list[Tenant]:
        """Tenants that have a row, in the order of their ids.

        Parameters:
          plan: only those on this plan.
          paused: only those that are paused, or that are not.
          limit: how many at most.
          after: only those whose id comes after this one, for the next page.
        """
        values = {"plan": plan, "paused": paused, "limit": limit, "after": after}
        with self._database.connection() as connection:
            if plan is not None:
                seed_plans(connection)
                check_plan(plan, stored_plans(connection))
            return [tenant_of(row) for row in connection.execute(QUERIES["tenants"], values)]

    def set_plan(self, tenant_id: int | str, plan: str) -> Tenant:
        """Give a tenant a plan; what it may do instead of its plan's limits stays."""
        return self._change("set_plan", tenant_id, plan=plan)

    def override(self, tenant_id: int | str, **limits: int | None) -> Tenant:
        """Give a tenant limits of its own.

        Parameters:
          limits: ``concurrency``, ``max_jobs_per_minute``, ``weight``, ``max_backlog``; None gives a limit back to the
            plan, those that are not named stay.
        """
        allowed = ", ".join(RANGES)
        if not limits:
            raise InvalidPayload(f"no limit was given; there are {allowed}")
        for name, value in limits.items():
            if name not in RANGES:
                raise InvalidPayload(f"unknown limit {name}: There are {allowed}", field=name)
            if value is not None:
                _check(name, value)
        return self._change("override", tenant_id, **{**dict.fromkeys(RANGES), **limits, "named": [*limits]})

    def pause(self, tenant_id: int | str) -> Tenant:
        """Start no more jobs of a tenant; what it sends is accepted and waits, what runs goes on."""
        return self._change("pause", tenant_id)

    def resume(self, tenant_id: int | str) -> Tenant:
        """Let a paused tenant's jobs go on."""
        return self._change("resume", tenant_id)

    def _change(self, statement: str, tenant_id: int | str, **values: Any) -> Tenant:
        tenant = checked_id(tenant_id)
        with self._database.connection() as connection:
            seed_plans(connection)
            if "plan" in values:
                check_plan(values["plan"], stored_plans(connection))
            connection.execute(QUERIES[statement], {"tenant_id": tenant, **values})
        self.published(tenant)
        return self._read(tenant)

    def published(self, tenant_id: str) -> None:
        """Bring what is stored of a tenant to the whole fleet; what cannot be done now the monitor does later."""
        try:
            self._publisher.publish([tenant_id])
        except NOT_NOW as error:
            LOGGER.warning(
                "The change of tenant %s is stored and reaches the fleet through the monitor: %s", tenant_id, error
            )

    def _read(self, tenant_id: str) -> Tenant:
        with self._database.connection() as connection:
            row = connection.execute(QUERIES["tenant"], {"tenant_id": tenant_id}).fetchone()
            if row is None:
                # Nobody has put the plans there yet.
                seed_plans(connection)
                row = connection.execute(QUERIES["tenant"], {"tenant_id": tenant_id}).fetchone()
        if row is None:
            raise InvalidPayload(f"the plan {FREE} is missing", field="plan")
        return tenant_of(row)


def checked_id(tenant_id: object) -> str:
    """A tenant's id as text.

    Raises:
      InvalidPayload: it is none; with what is allowed.
    """
    try:
        text = tenant_text(tenant_id)
    except ValueError as error:
        raise InvalidPayload(f"tenant_id is {tenant_id!r}: {error}", field="tenant_id") from None
    if text == SYSTEM:
        raise InvalidPayload("the system's own jobs have no limits and cannot be paused", field="tenant_id")
    return text


def _check(name: str, value: object) -> None:
    try:
        check_limit(name, value)
    except ValueError as error:
        raise InvalidPayload(str(error), field=name) from None


def set_plan(tenant_id: int | str, plan: str) -> Tenant:
    """Give a tenant a plan, for the whole fleet at once, also for its jobs that wait.

    >>> set_plan(42, "pro").limits.concurrency
    10

    Raises:
      InvalidPayload: no such plan, or no such id; nothing was changed.
      Unavailable: PostgreSQL is away; nothing was changed.
    """
    with fleet_broker() as broker:
        return Tenants(database(), broker).set_plan(tenant_id, plan)


def pause_tenant(tenant_id: int | str) -> Tenant:
    """Start no more jobs of a tenant; what it sends is accepted and waits, what runs goes on. Raises as ``set_plan``."""
    with fleet_broker() as broker:
        return Tenants(database(), broker).pause(tenant_id)


def resume_tenant(tenant_id: int | str) -> Tenant:
    """Let a paused tenant's jobs go on. Raises as ``set_plan``."""
    with fleet_broker() as broker:
        return Tenants(database(), broker).resume(tenant_id)
