"""Tenants that are parked at their limit: each has a job that runs on and on, and more that wait."""

from __future__ import annotations

from dramatiq import Message

from jobfleet.benchmarks.measurements.plans import WIDE, narrow, publish
from jobfleet.benchmarks.stage import Stage
from jobfleet.broker import FairBroker
from jobfleet.broker.scripts import pack, unpack

#: Jobs of each of them that wait.
WAITING = 5
#: Milliseconds for which their running jobs' worker needs no heartbeat: longer than any measurement.
LEASE_MS = 3_600_000
#: Jobs that one of its fetches takes.
PORTION = 200


def park(stage: Stage, tenants: int) -> int:
    """Have so many tenants at their limit of one job at once; returns how many are.

    Their running jobs are held by a worker that does nothing, so that what they cost is what parking costs. The broker
    parks a tenant when its last free slot is taken.

    Raises:
      RuntimeError: not all of them get there.
    """
    names = [f"parked-{number}" for number in range(tenants)]
    publish(stage, WIDE, dict.fromkeys(names, narrow(1)))
    broker = FairBroker(stage.server.url)
    try:
        for _ in range(1 + WAITING):
            broker.enqueue_many([_job(name) for name in names])
        _hold_one_each(broker, tenants)
        return int(broker.client.hlen(broker.keys.parked))
    finally:
        broker.close()


def _job(tenant: str) -> Message[None]:
    return Message(queue_name="default", actor_name="noop", args=(), kwargs={"tenant_id": tenant}, options={})


def _hold_one_each(broker: FairBroker, tenants: int) -> None:
    broker.scripts.call("register", pack(["bench:holder", LEASE_MS, ["host", "bench"], ["default"], [], ""]))
    held = number = 0
    while held < tenants:
        number += 1
        want = ["default", PORTION, 0, 600_000]
        answer = broker.scripts.call("fetch", pack(["bench:holder", number, PORTION, [want]]))
        jobs = unpack(answer[0])[2]
        if not jobs:
            raise RuntimeError(f"only {held} of {tenants} tenants have reached their limit")
        held += len(jobs)
