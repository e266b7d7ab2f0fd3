"""Tenants that are parked at their limit: each has a job that runs on and on, and more that wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dramatiq import Message

from jobfleet.benchmarks.measurements.plans import WIDE, narrow, publish
from jobfleet.benchmarks.stage import Stage
from jobfleet.broker import FairBroker
from jobfleet.broker.scripts import pack, unpack
from jobfleet.broker.settings import settings

#: Jobs of each of them that wait.
WAITING = 5
#: The worker that holds their running jobs, and seconds between two renewals of its lease.
HOLDER, RENEWAL_SECONDS = "bench:holder", 3.0
#: Jobs that one of its fetches takes.
PORTION = 200


@contextmanager
def parked(stage: Stage, tenants: int) -> Iterator[int]:
    """Have so many tenants at their limit of one job at once while the block runs; gives how many are.

    Their running jobs are held by a worker that does nothing but live, so that what they cost is what parking costs. The
    broker parks a tenant when its last free slot is taken.

    Raises:
      RuntimeError: not all of them get there, or stay there.
    """
    names = [f"parked-{number}" for number in range(tenants)]
    publish(stage, WIDE, dict.fromkeys(names, narrow(1)))
    broker = FairBroker(stage.server.url)
    over = threading.Event()
    renewal = threading.Thread(target=_renew, args=(broker, over), daemon=True)
    try:
        for _ in range(1 + WAITING):
            broker.enqueue_many([_job(name) for name in names])
        _hold_one_each(broker, tenants)
        renewal.start()
        yield int(broker.client.hlen(broker.keys.parked))
        left = int(broker.client.hlen(broker.keys.parked))
        if left < tenants:
            raise RuntimeError(f"only {left} of {tenants} tenants were still parked at the end")
    finally:
        over.set()
        if renewal.ident:
            renewal.join()
        broker.close()


def _renew(broker: FairBroker, over: threading.Event) -> None:
    """Renew the holder's lease: by hand, since a heartbeat would look at all of its jobs."""
    while not over.wait(RENEWAL_SECONDS):
        broker.client.zadd(broker.keys.workers, {HOLDER: time.time() * 1000 + settings().lease_ms}, xx=True)


def _job(tenant: str) -> Message[None]:
    return Message(queue_name="default", actor_name="noop", args=(), kwargs={"tenant_id": tenant}, options={})


def _hold_one_each(broker: FairBroker, tenants: int) -> None:
    broker.scripts.call("register", pack([HOLDER, settings().lease_ms, ["host", "bench"], ["default"], [], ""]))
    held = number = 0
    while held < tenants:
        number += 1
        want = ["default", PORTION, 0, 600_000]
        answer = broker.scripts.call("fetch", pack([HOLDER, number, PORTION, [want]]))
        jobs = unpack(answer[0])[2]
        if not jobs:
            raise RuntimeError(f"only {held} of {tenants} tenants have reached their limit")
        held += len(jobs)
