"""Processes of an application that send at the same time, as fast as they can: limits and keys stay exact."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dramatiq
import pytest
from limits_sender import ACTOR, QUEUE, TENANT
from processes import Process, bare_environment
from wait import eventually
from worker_threads import StartWorker

from jobfleet.broker import FairBroker
from jobfleet.broker.limits import Limits

SENDER = Path(__file__).parent / "limits_sender.py"
PROCESSES = 8
FREE = Limits(plan="free", concurrency=2, per_minute=10, weight=1, max_backlog=1_000)
MINUTE_MS = 60_000


def race(broker: FairBroker, redis_url: str, folder: Path, kind: str, amount: float) -> list[dict[str, Any]]:
    """Let the processes begin at one moment; returns what each of them met."""
    prefix, go = broker.keys.prefix, folder / "go"
    environment = bare_environment() | {"REDIS_URL": redis_url}
    with ExitStack() as stack:
        senders = [
            stack.enter_context(
                Process(["python", str(SENDER), prefix.strip("{}"), str(go), kind, str(amount)], environment)
            )
            for _ in range(PROCESSES)
        ]
        for sender in senders:
            sender.says("ready", 60.0)
        go.touch()
        outcomes = [sender.wait(180.0) for sender in senders]
    assert [outcome.errors for outcome in outcomes if outcome.status] == []
    return [json.loads(outcome.output.splitlines()[-1]) for outcome in outcomes]


def moments(broker: FairBroker, kind: str) -> list[int]:
    """When something happened, by Redis time."""
    events = [event for entry in broker.journal.read(count=10_000) for event in entry.events]
    return [event.at_ms for event in events if event.kind == kind]


def clean(broker: FairBroker) -> None:
    report = broker.audit()
    assert report.clean, str(report)


def test_processes_that_send_one_key_send_one_job_which_runs_once(
    broker: FairBroker, redis_url: str, tmp_path: Path, start_worker: StartWorker
) -> None:
    runs: list[str] = []

    @dramatiq.actor(broker=broker, actor_name=ACTOR, queue_name=QUEUE)
    def act(tenant_id: str) -> None:
        runs.append(tenant_id)

    start_worker()
    met = race(broker, redis_url, tmp_path, "keyed", 1_000)

    firsts = [job_id for each in met for job_id in each["accepted"]]
    assert len(firsts) == 1
    assert all(each["ids"] == firsts for each in met), "every send was answered with the first one's id"
    eventually(lambda: broker.stats([QUEUE])[0].completed == 1)
    assert runs == [TENANT]
    assert len(moments(broker, "enqueued")) == len(moments(broker, "completed")) == 1
    duplicates = broker.client.hget(broker.keys.metrics, f"duplicates\t{QUEUE}")
    assert duplicates == str(PROCESSES * 1_000 - 1).encode()


def test_processes_that_send_for_one_tenant_get_exactly_its_rate(
    broker: FairBroker, redis_url: str, tmp_path: Path
) -> None:
    broker.limits.publish({"free": FREE}, {}, version=1)
    met = race(broker, redis_url, tmp_path, "free", 4)

    accepted = [job_id for each in met for job_id in each["accepted"]]
    assert len(accepted) == 10, "they sent for less than a minute"
    assert all(each["refused"] for each in met), "all of them took part"
    assert len(moments(broker, "enqueued")) == broker.client.hlen(broker.keys.jobs) == 10
    clean(broker)


@pytest.mark.soak
def test_in_no_window_of_a_minute_there_are_more_and_none_is_wasted(
    broker: FairBroker, redis_url: str, tmp_path: Path
) -> None:
    broker.limits.publish({"free": FREE}, {}, version=1)
    met = race(broker, redis_url, tmp_path, "free", 70)

    admitted = moments(broker, "enqueued")
    # Ten at once, ten more when the first ten were a minute ago; the third ten had to wait until 120 s
    assert len(admitted) == sum(len(each["accepted"]) for each in met) == 20
    later, earlier = admitted[FREE.per_minute :], admitted[: -FREE.per_minute]
    assert all(late - early > MINUTE_MS for late, early in zip(later, earlier, strict=True)), admitted
    clean(broker)
