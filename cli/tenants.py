"""Commands on tenants: list, show, set-plan, override, pause, resume, purge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from ..broker.plans import RANGES
from ..middleware.database import database
from ..middleware.tenants import Tenants
from .filters import AsJson
from .fleet_context import fleet_context
from .tables import print_json, print_table, say
from .tenant_purge import purge
from .tenant_report import TENANT_COLUMNS, print_tenant, tenant_object, tenant_row, tenant_sentence

tenants = typer.Typer(
    name="tenants",
    help="Plans and limits of tenants; pause, resume and offboard them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

TenantId = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id.", show_default=False)]


@contextmanager
def _tenants() -> Iterator[Tenants]:
    with fleet_context() as fleet:
        yield Tenants(database(), fleet.broker)


@tenants.command("list")
def list_tenants(
    plan: Annotated[str | None, typer.Option(help="Only tenants on this plan.")] = None,
    paused: Annotated[
        bool | None, typer.Option("--paused/--not-paused", help="Only paused tenants, or only the others.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 100,
    after: Annotated[str | None, typer.Option(help="Begin behind this tenant, for the next page.")] = None,
    as_json: AsJson = False,
) -> None:
    """List tenants for which something is set, in the order of their ids.

    All others are on the plan free.

    \b
    Examples:
      jobfleet tenants list --plan pro
      jobfleet tenants list --paused --json
    """
    with _tenants() as known:
        found = known.list(plan=plan, paused=paused, limit=limit, after=after)
    if as_json:
        print_json([tenant_object(tenant) for tenant in found])
    elif found:
        print_table(TENANT_COLUMNS, [tenant_row(tenant) for tenant in found])
    else:
        say("no tenants: all are on the plan free" if plan is None and paused is None else "no such tenants")


@tenants.command("show")
def show_tenant(tenant_id: TenantId, as_json: AsJson = False) -> None:
    """Show what a tenant may do, and what of that is its own instead of its plan's.

    \b
    Example:
      jobfleet tenants show 42
    """
    with _tenants() as known:
        tenant = known.get(tenant_id)
    if as_json:
        print_json(tenant_object(tenant))
    else:
        print_tenant(tenant)


@tenants.command("set-plan")
def set_plan(
    tenant_id: TenantId,
    plan: Annotated[str, typer.Argument(help="free, starter, pro, enterprise or one of yours.", show_default=False)],
) -> None:
    """Give a tenant a plan; limits of its own stay.

    The whole fleet follows at once, also with the tenant's jobs that wait.

    \b
    Example:
      jobfleet tenants set-plan 42 pro
    """
    with _tenants() as known:
        say(tenant_sentence(known.set_plan(tenant_id, plan)))


@tenants.command("override")
def override(
    tenant_id: TenantId,
    concurrency: Annotated[int | None, typer.Option(help="Jobs that run at once, over all queues.")] = None,
    per_minute: Annotated[
        int | None, typer.Option("--max-jobs-per-minute", help="Jobs that may be sent in any 60 seconds.")
    ] = None,
    weight: Annotated[int | None, typer.Option(help="Share of the workers while tenants wait for them.")] = None,
    max_backlog: Annotated[int | None, typer.Option(help="Jobs that are not over.")] = None,
    reset: Annotated[
        list[str] | None, typer.Option(help="Give this limit back to the plan; may be repeated. all: every one.")
    ] = None,
) -> None:
    """Give a tenant limits of its own, whatever its plan says; those that are not named stay.

    \b
    Examples:
      jobfleet tenants override 42 --concurrency 15 --max-jobs-per-minute 500
      jobfleet tenants override 42 --reset concurrency
      jobfleet tenants override 42 --reset all
    """
    given = {
        "concurrency": concurrency,
        "max_jobs_per_minute": per_minute,
        "weight": weight,
        "max_backlog": max_backlog,
    }
    named: dict[str, int | None] = {name: value for name, value in given.items() if value is not None}
    for name in reset or ():
        named |= dict.fromkeys(RANGES if name == "all" else [name.removeprefix("--").replace("-", "_")])
    with _tenants() as known:
        say(tenant_sentence(known.override(tenant_id, **named)))


@tenants.command("pause")
def pause(tenant_id: TenantId) -> None:
    """Start no more jobs of a tenant: what it sends is accepted and waits, what runs goes on.

    \b
    Example:
      jobfleet tenants pause 42
    """
    with _tenants() as known:
        say(tenant_sentence(known.pause(tenant_id)))


@tenants.command("resume")
def resume(tenant_id: TenantId) -> None:
    """Let a paused tenant's jobs go on.

    \b
    Example:
      jobfleet tenants resume 42
    """
    with _tenants() as known:
        say(tenant_sentence(known.resume(tenant_id)))


tenants.command("purge")(purge)
