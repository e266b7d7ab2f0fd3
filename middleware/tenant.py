"""One tenant as PostgreSQL knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..broker.limits import Limits
from ..broker.plans import RANGES


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """A tenant with what it may do."""

    tenant_id: str
    #: What holds for it: its plan's limits with its own laid over them.
    limits: Limits
    #: Its own limits alone, by the names of the columns.
    overrides: Mapping[str, int]
    #: Where its jobs live when a fleet has several Redis servers; empty for the only one.
    cell: str
    #: None for a tenant without a row, which is on the plan ``free``.
    created_at: datetime | None
    updated_at: datetime | None

    @property
    def plan(self) -> str:
        """The name of its plan."""
        return self.limits.plan

    @property
    def paused(self) -> bool:
        """Whether its jobs wait until it is resumed."""
        return self.limits.paused


def tenant_of(row: Mapping[str, Any]) -> Tenant:
    """A tenant from its row, in which ``own_`` stands before its own limits."""
    own = {limit: row[f"own_{limit}"] for limit in RANGES}
    return Tenant(
        tenant_id=row["tenant_id"],
        limits=limits_of(row),
        overrides={limit: value for limit, value in own.items() if value is not None},
        cell=row["cell"] or "",
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def limits_of(row: Mapping[str, Any]) -> Limits:
    """The limits that hold for a tenant, from its row."""
    return Limits(
        plan=row["plan"],
        concurrency=row["concurrency"],
        per_minute=row["max_jobs_per_minute"],
        weight=row["weight"],
        max_backlog=row["max_backlog"],
        paused=row["paused"],
    )
