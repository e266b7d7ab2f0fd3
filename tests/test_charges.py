"""Service is measured in worker time: long jobs are no larger share than short ones."""

from __future__ import annotations

from collections import Counter

from dramatiq import Message
from scripted_worker import ScriptedWorker
from wide_limits import give_weights

from jobfleet.broker import FairBroker


def send(broker: FairBroker, tenant: str, jobs: int, actor: str) -> None:
    broker.enqueue_many(
        [
            Message(queue_name="default", actor_name=actor, args=(), kwargs={"tenant_id": tenant}, options={})
            for _ in range(jobs)
        ]
    )


def places(broker: FairBroker) -> dict[bytes, int]:
    """Where each tenant stands in the ring, by its virtual time."""
    return {tenant: round(tag) for tenant, tag in broker.commands.zscan_iter(broker.keys.ring("default"), count=100)}


def run(worker: ScriptedWorker, runs: int, ran_ms: dict[str, int]) -> Counter[str]:
    """Run jobs one after the other; returns the worker time that each tenant got."""
    served: Counter[str] = Counter()
    for _ in range(runs):
        ((job_id, _, tenant, actor, *_),) = worker.fetch(1)
        served[tenant] += ran_ms[actor]
        worker.settle(job_id, "completed", ["", "", 0], ran_ms=ran_ms[actor])
    return served


def test_a_tenant_of_long_jobs_gets_no_larger_share(broker: FairBroker) -> None:
    send(broker, "long", 200, "slow")
    send(broker, "short", 2_000, "quick")
    served = run(ScriptedWorker(broker), 1_500, {"slow": 2_000, "quick": 20})
    assert abs(served["long"] - served["short"]) <= 4_000
    assert broker.audit().clean


def test_weights_share_worker_time(broker: FairBroker) -> None:
    give_weights(broker, {"heavy": 3})
    send(broker, "heavy", 1_000, "slow")
    send(broker, "light", 1_000, "quick")
    served = run(ScriptedWorker(broker), 900, {"slow": 500, "quick": 50})
    assert 2.8 <= served["heavy"] / served["light"] <= 3.2


def test_a_burst_of_long_jobs_is_charged_when_it_starts(broker: FairBroker) -> None:
    send(broker, "long", 20, "slow")
    send(broker, "short", 200, "quick")
    run(ScriptedWorker(broker), 60, {"slow": 1_000, "quick": 10})
    started = Counter(row[2] for row in ScriptedWorker(broker).fetch(80))
    assert started["long"] <= 3, "their mean is known, so not all free threads go to them"


def test_a_run_that_did_not_happen_costs_nothing(broker: FairBroker) -> None:
    send(broker, "a", 50, "slow")
    send(broker, "b", 50, "slow")
    worker = ScriptedWorker(broker)
    run(worker, 10, {"slow": 1_000})
    tags = places(broker)
    ((job_id, *_),) = worker.fetch(1)
    worker.settle(job_id, "released", ["shutdown"])
    assert places(broker) == tags
