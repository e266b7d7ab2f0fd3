"""Tenants, for people and for programs."""

from __future__ import annotations

from typing import Any

from ..broker.plans import RANGES
from ..middleware.tenant import Tenant
from .tables import Column, moment, say

TENANT_COLUMNS = (
    Column("tenant"),
    Column("plan"),
    Column("at once", number=True),
    Column("per minute", number=True),
    Column("weight", number=True),
    Column("backlog", number=True),
    Column("own limits"),
    Column("paused"),
    Column("since"),
)


def tenant_row(tenant: Tenant) -> list[object]:
    """One row, for ``TENANT_COLUMNS``."""
    own = ", ".join(tenant.overrides)
    numbers = [f"{value:,}" for value in _limits(tenant).values()]
    return [tenant.tenant_id, tenant.plan, *numbers, own, "paused" if tenant.paused else "", tenant.created_at]


def tenant_object(tenant: Tenant) -> dict[str, Any]:
    """The tenant as JSON shows it."""
    return {
        "tenant_id": tenant.tenant_id,
        "plan": tenant.plan,
        "paused": tenant.paused,
        **_limits(tenant),
        "overrides": dict(tenant.overrides),
        "cell": tenant.cell,
        "created_at": tenant.created_at,
        "updated_at": tenant.updated_at,
    }


def print_tenant(tenant: Tenant) -> None:
    """Print it for a person."""
    row = "" if tenant.created_at else " (nothing is set for it, so it is on the plan of unknown tenants)"
    say(f"{'tenant':<22}{tenant.tenant_id}")
    say(f"{'plan':<22}{tenant.plan}{row}")
    say(f"{'paused':<22}{'yes: its jobs wait' if tenant.paused else 'no'}")
    for name, value in _limits(tenant).items():
        say(f"{name:<22}{value:,}{' (its own)' if name in tenant.overrides else ''}")
    if tenant.cell:
        say(f"{'cell':<22}{tenant.cell}")
    if tenant.created_at:
        say(f"{'since':<22}{moment(tenant.created_at)}, changed {moment(tenant.updated_at)}")


def tenant_sentence(tenant: Tenant) -> str:
    """What holds for it, on one line."""
    limits = tenant.limits
    state = "paused, " if tenant.paused else ""
    return (
        f"tenant {tenant.tenant_id}: {state}plan {tenant.plan}, {limits.concurrency:,} at once, "
        f"{limits.per_minute:,} per minute, weight {limits.weight:,}, backlog {limits.max_backlog:,}"
    )


def _limits(tenant: Tenant) -> dict[str, int]:
    limits = tenant.limits
    numbers = (limits.concurrency, limits.per_minute, limits.weight, limits.max_backlog)
    return dict(zip(RANGES, numbers, strict=True))
