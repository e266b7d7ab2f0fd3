"""The audit finds what is wrong: each kind of damage, done by hand, is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dramatiq import Message
from scripted_worker import ScriptedWorker

from jobfleet.broker import FairBroker

Damage = Callable[[FairBroker, str, str, str], object]


def lose_the_record(broker: FairBroker, waiting: str, active: str, dead: str) -> None:
    broker.client.hdel(broker.keys.jobs, waiting)


def lose_the_place(broker: FairBroker, waiting: str, active: str, dead: str) -> None:
    broker.client.zrem(broker.keys.line("default", "acme"), waiting)


def stand_in_two_places(broker: FairBroker, waiting: str, active: str, dead: str) -> None:
    broker.client.zadd(broker.keys.scheduled("default"), {waiting: 1})


def lose_the_turn(broker: FairBroker, waiting: str, active: str, dead: str) -> None:
    broker.client.delete(broker.keys.ring("default"))


def lose_the_lease(broker: FairBroker, waiting: str, active: str, dead: str) -> None:
    state = broker.get(active)
    assert state is not None
    broker.client.hdel(broker.keys.leases(state.worker), active)


def forget_the_worker(broker: FairBroker, waiting: str, active: str, dead: str) -> None:
    broker.client.delete(broker.keys.workers)


def forget_why(broker: FairBroker, waiting: str, active: str, dead: str) -> None:
    broker.client.hdel(broker.keys.failures, dead)


def miscount(broker: FairBroker, waiting: str, active: str, dead: str) -> None:
    broker.client.hincrby(broker.keys.waiting("default"), "n", 1)


def count_a_completion_twice(broker: FairBroker, waiting: str, active: str, dead: str) -> None:
    broker.client.hincrby(broker.keys.metrics, "jobs_processed\tdefault\tact\tcompleted", 1)


def stand_in_anothers_line(broker: FairBroker, waiting: str, active: str, dead: str) -> None:
    broker.client.zadd(broker.keys.line("default", "other"), {waiting: 1})


@pytest.mark.parametrize(
    ("damage", "kinds"),
    [
        (lose_the_record, {"ghost", "records"}),
        (lose_the_place, {"lost", "conservation", "waiting", "records"}),
        (stand_in_two_places, {"twice", "conservation", "records"}),
        (lose_the_turn, {"ring", "conservation", "waiting", "records"}),
        (lose_the_lease, {"lease", "leases", "slots"}),
        (forget_the_worker, {"lease", "leases", "slots", "worker"}),
        (forget_why, {"failure"}),
        (miscount, {"waiting"}),
        (count_a_completion_twice, {"conservation"}),
        (stand_in_anothers_line, {"line"}),
    ],
)
def test_damage_is_named(broker: FairBroker, damage: Damage, kinds: set[str]) -> None:
    messages = [
        Message[Any](queue_name="default", actor_name="act", args=(n,), kwargs={"tenant_id": "acme"}, options={})
        for n in range(3)
    ]
    broker.enqueue_many(messages)
    worker = ScriptedWorker(broker)
    dead, active = (row[0] for row in worker.fetch(2))
    worker.fail(dead)
    waiting = next(m.message_id for m in messages if m.message_id not in (dead, active))
    assert broker.audit().clean, str(broker.audit())

    damage(broker, waiting, active, dead)
    report = broker.audit()
    assert not report.clean
    assert {finding.kind for finding in report.findings} == kinds, str(report)
