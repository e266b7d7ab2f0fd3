"""Who waits and who runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import nsmallest
from typing import Any

from .commands import Commands
from .job import SYSTEM
from .keys import Keys
from .load_order import LoadOrder, place_of
from .scripts import Scripts, pack, unpack
from .slices import slices
from .tenant_load import TenantLoad

#: Fields of the hash of backlogs that are read at a time.
SLICE = 1_000
#: Tenants whose lines are read in one script: for a few milliseconds nothing else runs on the server.
TENANTS_AT_ONCE = 100


def read_tenant_loads(client: Commands, keys: Keys, scripts: Scripts, most: int, order: LoadOrder) -> list[TenantLoad]:
    """The first tenants with unfinished jobs in some order, and the system's line where it has some that wait.

    All of them are looked at: who has waited longest need not have many jobs.

    Raises:
      redis.RedisError: the server is away.
    """
    backlogs = {name.decode(): int(jobs) for name, jobs in client.hscan_iter(keys.backlog, count=SLICE)}
    return nsmallest(most, _loads(client, keys, scripts, backlogs), key=lambda load: place_of(load, order))


def _loads(client: Commands, keys: Keys, scripts: Scripts, backlogs: Mapping[str, int]) -> Iterator[TenantLoad]:
    running = sum(int(n) for name, n in client.hgetall(keys.running).items() if b":" not in name)
    for names in slices([*backlogs, SYSTEM], TENANTS_AT_ONCE):
        now, *rows = unpack(scripts.call("tenant_loads", pack(names)))
        for name, row in zip(names, rows, strict=True):
            load = _load(name, row, now, backlogs.get(name), running)
            if name != SYSTEM or load.waiting:
                yield load


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
