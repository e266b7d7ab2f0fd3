"""What Redis knows of plans and tenants, as the broker's scripts read it."""

from __future__ import annotations

from typing import Any

import psycopg

from jobfleet.broker import FairBroker
from jobfleet.broker.scripts import unpack


def published_plans(broker: FairBroker) -> dict[str, list[Any]]:
    """Plan -> its numbers: concurrency, jobs per minute, weight, backlog."""
    return {name: packed[1:5] for name, packed in _hash(broker, "plans").items()}


def published(broker: FairBroker, tenant_id: str) -> list[Any]:
    """A tenant's plan and numbers, and whether it is paused; those of the plan free for one that is not there."""
    tenants, plans = _hash(broker, "tenants"), _hash(broker, "plans")
    plan, *numbers, paused = tenants.get(tenant_id) or plans["free"]
    return [plan, *numbers, bool(paused)]


def forget(broker: FairBroker) -> None:
    """Empty the namespace, as a Redis server that lost its data."""
    keys = list(broker.client.scan_iter(match=f"{broker.keys.prefix}:*"))
    if keys:
        broker.client.delete(*keys)


def plain_sql(database_url: str, statement: str) -> None:
    """Change something as an operator does who knows nothing of jobfleet's functions."""
    with psycopg.connect(database_url) as connection:
        connection.execute(statement.encode())


def _hash(broker: FairBroker, name: str) -> dict[str, list[Any]]:
    fields = broker.commands.hgetall(f"{broker.keys.prefix}:{name}")
    return {field.decode(): unpack(packed) for field, packed in fields.items()}
