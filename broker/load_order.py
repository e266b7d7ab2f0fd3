"""In which order tenants are shown by their loads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType

from .tenant_load import TenantLoad


class LoadOrder(StrEnum):
    """What is most of those that are shown first."""

    #: How long its oldest job has waited: first of tenants that wait for the fleet, then of those that have no free
    #: slot of their own, then of paused ones.
    OLDEST = "oldest"
    WAITING = "waiting"
    RUNNING = "running"
    HELD = "held"
    UNFINISHED = "unfinished"


def place_of(load: TenantLoad, order: LoadOrder) -> tuple[float | str, ...]:
    """What loads are sorted by, ascending; equals by their jobs, then by name."""
    return (*_PLACES[order](load), -load.waiting, -load.running, -load.unfinished, load.tenant_id)


_PLACES: Mapping[LoadOrder, Callable[[TenantLoad], tuple[float, ...]]] = MappingProxyType(
    {
        LoadOrder.OLDEST: lambda load: (load.paused, load.parked, -load.oldest_wait_seconds),
        LoadOrder.WAITING: lambda load: (-load.waiting,),
        LoadOrder.RUNNING: lambda load: (-load.running,),
        LoadOrder.HELD: lambda load: (-load.held,),
        LoadOrder.UNFINISHED: lambda load: (-load.unfinished,),
    }
)
