"""Limits that no test reaches, for tests of something else."""

from __future__ import annotations

from jobfleet.broker import FairBroker
from jobfleet.broker.limits import Limits


def wide(weight: int = 1) -> Limits:
    """Limits of a tenant that has no need of any."""
    return Limits(plan="wide", concurrency=10_000, per_minute=1_000_000, weight=weight, max_backlog=10_000_000)


def give_weights(broker: FairBroker, weights: dict[str, int]) -> None:
    """Let tenants have shares, and no limits; the others have a weight of 1."""
    broker.limits.publish({"free": wide()}, {tenant: wide(weight) for tenant, weight in weights.items()}, version=1)
