"""The command that shows who waits and who runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.live import Live

from ..broker.load_order import LoadOrder
from ..broker.tenant_load import TenantLoad
from .filters import AsJson
from .fleet_context import FleetContext, fleet_context
from .tables import Column, console, duration, print_json, print_json_line, print_table, say, table

COLUMNS = (
    Column("tenant"),
    Column("plan"),
    Column("weight", number=True),
    Column("waiting", number=True),
    Column("oldest", number=True),
    Column("running", number=True),
    Column("of", number=True),
    Column("share", number=True),
    Column("held", number=True),
    Column("unfinished", number=True),
    Column("state"),
)


def top(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="How many tenants at most.")] = 20,
    by: Annotated[LoadOrder, typer.Option(help="What those have most of that are shown first.")] = LoadOrder.OLDEST,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show it again and again until Ctrl-C.")] = False,
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks of --watch.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Show which tenants wait, for how long, and who runs.

    "waiting" is in lines over all queues, "oldest" for how long the first of them could have run; "running" of so
    many at once, "share" of all that runs; "held" for its rate; "unfinished" also counts what waits for its time.
    A parked tenant has no free slot; a paused one starts nothing. By default those come first that have waited
    longest for the fleet, then parked and paused ones.

    \b
    Examples:
      jobfleet tenants top
      jobfleet tenants top --by waiting
      jobfleet tenants top --watch --limit 10
      jobfleet tenants top --json
    """
    with fleet_context() as fleet:
        if watch:
            _watch(_looks(fleet, limit, by, interval), as_json)
        elif as_json:
            print_json(fleet.broker.tenant_loads(limit, by=by))
        else:
            _show(fleet.broker.tenant_loads(limit, by=by))


def _looks(fleet: FleetContext, limit: int, by: LoadOrder, interval: float) -> Iterator[list[TenantLoad]]:
    """One look after the other. Where there are so many tenants that one takes long, the pause is as long."""
    while True:
        begun = time.monotonic()
        loads = fleet.broker.tenant_loads(limit, by=by)
        took = time.monotonic() - begun
        yield loads
        time.sleep(max(interval, took))


def _watch(looks: Iterator[list[TenantLoad]], as_json: bool) -> None:
    """Until Ctrl-C: redraw on a terminal, else print one look below the other."""
    try:
        if as_json or not sys.stdout.isatty():
            for loads in looks:
                _show_once(loads, as_json)
        else:
            with Live(console=console(), auto_refresh=False) as live:
                for loads in looks:
                    live.update(table(COLUMNS, map(_row, loads)), refresh=True)
    except KeyboardInterrupt:
        return


def _show_once(loads: list[TenantLoad], as_json: bool) -> None:
    if as_json:
        print_json_line(loads)
        return
    _show(loads)
    say("")


def _show(loads: list[TenantLoad]) -> None:
    if loads:
        print_table(COLUMNS, map(_row, loads))
    else:
        say("no tenant has unfinished jobs")


def _row(load: TenantLoad) -> list[object]:
    state = "paused" if load.paused else "parked" if load.parked else ""
    return [
        load.tenant_id,
        load.plan,
        load.weight,
        load.waiting,
        duration(load.oldest_wait_seconds * 1000) if load.waiting else "",
        load.running,
        load.concurrency,
        f"{load.share:.0%}",
        load.held,
        load.unfinished,
        state,
    ]
