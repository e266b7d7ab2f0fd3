"""Limits for the tenants of one stage, published as the fleet's monitor does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from jobfleet.benchmarks.stage import Stage
from jobfleet.broker import FairBroker
from jobfleet.broker.limits import Limits

#: Limits that are counted and never reached.
WIDE = Limits(plan="free", concurrency=10_000, per_minute=1_000_000, weight=1, max_backlog=1_000_000_000)


def publish(stage: Stage, everybody: Limits, tenants: Mapping[str, Limits] | None = None) -> None:
    """Let limits hold on a stage's server: those of all tenants, and of some their own."""
    broker = FairBroker(stage.server.url)
    try:
        broker.limits.publish({"free": everybody}, tenants or {}, version=1)
    finally:
        broker.close()


def narrow(at_once: int) -> Limits:
    """A plan that lets so many jobs run at once and limits nothing else."""
    return replace(WIDE, plan="narrow", concurrency=at_once)


def heavy(weight: int) -> Limits:
    """A plan of a weight that limits nothing."""
    return replace(WIDE, plan=f"weight-{weight}", weight=weight)
