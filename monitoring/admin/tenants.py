"""Tenants: what they may do, plan, limits of their own, pause and resume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ...middleware.tenant import Tenant
from ...middleware.tenants import Tenants
from .call import Call
from .route import Answer, change, look


class TenantSearch(BaseModel):
    """Which tenants."""

    model_config = ConfigDict(extra="forbid")

    plan: str | None = Field(default=None, max_length=64, description="Those on this plan.")
    paused: bool | None = Field(default=None, description="Those that are paused, or that are not.")
    after: str | None = Field(default=None, max_length=64, description="The field next of the page before.")
    limit: int = Field(default=100, ge=1, le=1_000, description="Tenants on a page.")


class PlanChoice(BaseModel):
    """The plan that a tenant gets."""

    model_config = ConfigDict(extra="forbid", strict=True)

    plan: str = Field(max_length=64, description="The plan's name.")


class OwnLimits(BaseModel):
    """Limits of a tenant's own; null gives one back to the plan, what is not named stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    concurrency: int | None = Field(default=None, description="Jobs that run at once.")
    max_jobs_per_minute: int | None = Field(default=None, description="Jobs that it may send in any 60 seconds.")
    weight: int | None = Field(default=None, description="Its share of the workers.")
    max_backlog: int | None = Field(default=None, description="Jobs that are not over.")


def _list(call: Call) -> dict[str, Any]:
    wanted: TenantSearch = call.given
    found = _tenants(call).list(plan=wanted.plan, paused=wanted.paused, after=wanted.after, limit=wanted.limit)
    full = len(found) == wanted.limit
    return {"tenants": [asdict(tenant) for tenant in found], "next": found[-1].tenant_id if full else None}


def _show(call: Call) -> dict[str, Any]:
    return asdict(_tenants(call).get(call.path["tenant_id"]))


def _changed(act: Callable[[Tenants, str, Any], Tenant]) -> Answer:
    """What every change of a tenant has in common: done to the one in the path, it shows the tenant afterwards."""
    return lambda call: asdict(act(_tenants(call), call.path["tenant_id"], call.given))


def _own_limits(given: OwnLimits) -> dict[str, int | None]:
    return {name: getattr(given, name) for name in given.model_fields_set}


def _tenants(call: Call) -> Tenants:
    return Tenants(call.fleet.database, call.fleet.broker)


ROUTES = (
    look(
        "/admin/tenants",
        _list,
        "Tenants that have a row, in the order of their ids, a page at a time.",
        takes=TenantSearch,
        refusals=(400,),
    ),
    look(
        "/admin/tenants/{tenant_id}",
        _show,
        "One tenant with what it may do; one without a row is on the plan free.",
        refusals=(400,),
    ),
    change(
        "/admin/tenants/{tenant_id}/plan",
        _changed(lambda tenants, tenant_id, given: tenants.set_plan(tenant_id, given.plan)),
        "Give a tenant a plan; limits of its own stay.",
        takes=PlanChoice,
    ),
    change(
        "/admin/tenants/{tenant_id}/limits",
        _changed(lambda tenants, tenant_id, given: tenants.override(tenant_id, **_own_limits(given))),
        "Give a tenant limits of its own.",
        takes=OwnLimits,
    ),
    change(
        "/admin/tenants/{tenant_id}/pause",
        _changed(lambda tenants, tenant_id, _: tenants.pause(tenant_id)),
        "Start no more jobs of a tenant; what it sends is accepted and waits.",
    ),
    change(
        "/admin/tenants/{tenant_id}/resume",
        _changed(lambda tenants, tenant_id, _: tenants.resume(tenant_id)),
        "Let a paused tenant's jobs go on.",
    ),
)
