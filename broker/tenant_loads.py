"""Who waits and who runs: the tenants with the most unfinished jobs."""

from __future__ import annotations

from heapq import nlargest
from typing import Any

from .commands import Commands
from .job import SYSTEM
from .keys import Keys
from .scripts import Scripts, pack, unpack
from .tenant_load import TenantLoad

#: Fields of the hash of backlogs that are read at a time.
SLICE = 1_000
#: Tenants whose lines are read in one script.
TENANTS_MOST = 500


def read_tenant_loads(client: Commands, keys: Keys, scripts: Scripts, most: int) -> list[TenantLoad]:
    """The tenants with the most unfinished jobs, at most TENANTS_MOST, and the system's line; most waiting first.

    Raises:
      redis.RedisError: the server is away.
    """
    backlogs = {name.decode(): int(jobs) for name, jobs in client.hscan_iter(keys.backlog, count=SLICE)}
    chosen = nlargest(min(most, TENANTS_MOST), backlogs, key=backlogs.__getitem__)
    now, *rows = unpack(scripts.call("tenant_loads", pack([*chosen, SYSTEM])))
    running = sum(int(n) for name, n in client.hgetall(keys.running).items() if b":" not in name)
    loads = [
        _load(name, row, now, backlogs.get(name), running) for name, row in zip([*chosen, SYSTEM], rows, strict=True)
    ]
    shown = [load for load in loads if load.tenant_id != SYSTEM or load.waiting]
    return sorted(shown, key=lambda load: (-load.waiting, -load.running, -load.unfinished, load.tenant_id))[:most]


def _load(name: str, row: list[Any], now: int, backlog: int | None, all_running: int) -> TenantLoad:
    waiting, running, held, parked, oldest, plan, weight, concurrency, paused = row
    return TenantLoad(
        tenant_id=name,
        plan=plan,
        weight=weight,
        waiting=waiting,
        running=running,
        concurrency=concurrency or None,
        parked=bool(parked),
        paused=bool(paused),
        held=held,
        unfinished=waiting if backlog is None else backlog,
        oldest_wait_seconds=max(0.0, (now - oldest) / 1000) if oldest else 0.0,
        share=running / all_running if all_running else 0.0,
    )
