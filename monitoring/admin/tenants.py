"""Tenants: what they may do, plan, limits of their own, pause and resume."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ...middleware.tenants import Tenants
from .call import Call
from .role import Role
from .route import Route


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


def _pause(call: Call) -> dict[str, Any]:
    return asdict(_tenants(call).pause(call.path["tenant_id"]))


def _resume(call: Call) -> dict[str, Any]:
    return asdict(_tenants(call).resume(call.path["tenant_id"]))


def _set_plan(call: Call) -> dict[str, Any]:
    return asdict(_tenants(call).set_plan(call.path["tenant_id"], call.given.plan))


def _override(call: Call) -> dict[str, Any]:
    own: OwnLimits = call.given
    limits = {name: getattr(own, name) for name in own.model_fields_set}
    return asdict(_tenants(call).override(call.path["tenant_id"], **limits))


def _tenants(call: Call) -> Tenants:
    return Tenants(call.fleet.database, call.fleet.broker)


ROUTES = (
    Route(
        method="GET",
        path="/admin/tenants",
        role=Role.VIEWER,
        summary="Tenants that have a row, in the order of their ids, a page at a time.",
        answer=_list,
        takes=TenantSearch,
        refusals=(400,),
    ),
    Route(
        method="GET",
        path="/admin/tenants/{tenant_id}",
        role=Role.VIEWER,
        summary="One tenant with what it may do; one without a row is on the plan free.",
        answer=_show,
        refusals=(400,),
    ),
    Route(
        method="POST",
        path="/admin/tenants/{tenant_id}/plan",
        role=Role.ADMIN,
        summary="Give a tenant a plan; limits of its own stay.",
        answer=_set_plan,
        takes=PlanChoice,
    ),
    Route(
        method="POST",
        path="/admin/tenants/{tenant_id}/limits",
        role=Role.ADMIN,
        summary="Give a tenant limits of its own.",
        answer=_override,
        takes=OwnLimits,
    ),
    Route(
        method="POST",
        path="/admin/tenants/{tenant_id}/pause",
        role=Role.ADMIN,
        summary="Start no more jobs of a tenant; what it sends is accepted and waits.",
        answer=_pause,
    ),
    Route(
        method="POST",
        path="/admin/tenants/{tenant_id}/resume",
        role=Role.ADMIN,
        summary="Let a paused tenant's jobs go on.",
        answer=_resume,
    ),
)
