"""An actor that is paused: its jobs stand aside and cost nothing, and come back to their places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dramatiq import Message
from scripted_worker import ScriptedWorker

from jobfleet.broker import FairBroker
from jobfleet.broker.limits import Limits


@pytest.fixture(autouse=True)
def clean_audit(broker: FairBroker) -> Iterator[None]:
    yield
    assert broker.audit().clean, str(broker.audit())


def send(broker: FairBroker, actor: str, jobs: int, *, tenant: str = "a", queue: str = "default") -> list[str]:
    messages = [Message[Any](queue, actor, (), {"tenant_id": tenant}, {}) for _ in range(jobs)]
    broker.enqueue_many(messages)
    return [message.message_id for message in messages]


def fetched(worker: ScriptedWorker, most: int = 10) -> list[str]:
    return [row[0] for row in worker.fetch(most)]


def test_only_its_jobs_stop_and_they_come_back_in_their_order(broker: FairBroker) -> None:
    # Given jobs of two actors in one line
    stopped, going = send(broker, "stop", 3), send(broker, "go", 2)
    worker = ScriptedWorker(broker)
    # When one of them is paused
    broker.pause_actor("stop")
    # Then the other's jobs run, and its own wait and are counted
    assert fetched(worker) == going
    assert fetched(worker) == []
    assert broker.paused() == ["actor:stop"]
    assert broker.stats(["default"])[0].waiting == 3
    assert broker.client.zcard(broker.keys.halted("default")) == 3
    assert broker.audit().clean
    # When it is resumed, after others were sent
    later = send(broker, "go", 1)
    assert broker.resume_actor("stop")
    # Then they are at their old places
    assert broker.paused() == []
    assert fetched(worker) == stopped + later
    assert not broker.client.exists(broker.keys.resuming)


def test_one_of_two_paused_actors_comes_back(broker: FairBroker) -> None:
    one, two = send(broker, "one", 2), send(broker, "two", 2)
    for actor in ("one", "two"):
        broker.pause_actor(actor)
    worker = ScriptedWorker(broker)
    assert fetched(worker) == []
    broker.resume_actor("two")
    assert fetched(worker) == two
    broker.resume_actor("one")
    assert fetched(worker) == one
    assert not broker.resume_actor("one"), "it was not paused"


def test_more_than_one_slice_also_behind_those_that_stay(broker: FairBroker) -> None:
    send(broker, "stays", 700)
    back = send(broker, "back", 1_200)
    for actor in ("stays", "back"):
        broker.pause_actor(actor)
    worker = ScriptedWorker(broker)
    while broker.client.exists(broker.keys.ring("default")):
        assert fetched(worker, 100) == []
    assert broker.client.zcard(broker.keys.halted("default")) == 1_900
    broker.resume_actor("back")
    assert broker.client.zcard(broker.keys.line("default", "a")) == 1_200
    assert fetched(worker, 1_300) == back
    broker.resume_actor("stays")


def test_a_resume_that_was_interrupted_is_ended_by_the_upkeep(broker: FairBroker) -> None:
    jobs = send(broker, "stop", 1_700)
    broker.pause_actor("stop")
    worker = ScriptedWorker(broker)
    while broker.client.exists(broker.keys.ring("default")):
        worker.fetch(100)
    # Given somebody who resumed it and was gone before all jobs were back
    broker.scripts.call_once("resume_actor", "stop")
    assert broker.client.zcard(broker.keys.halted("default")) == 1_200
    assert broker.audit().clean
    # When the fleet's upkeep does its rounds, each of them bounded
    rounds = 0
    while broker.client.exists(broker.keys.halted("default")):
        broker.upkeep()
        rounds += 1
    # Then all are back
    assert rounds == 3
    assert fetched(worker, 2_000) == jobs


def test_an_actor_that_is_paused_again_meanwhile_stays_paused(broker: FairBroker) -> None:
    jobs = send(broker, "stop", 1_100)
    broker.pause_actor("stop")
    worker = ScriptedWorker(broker)
    while broker.client.exists(broker.keys.ring("default")):
        worker.fetch(100)
    broker.scripts.call("resume_actor", "request", "stop")
    broker.pause_actor("stop")
    broker.scripts.call("resume_actor", "request", "stop")
    broker.upkeep()
    assert broker.paused() == ["actor:stop"], "the call that came again was answered before"
    assert broker.client.zcard(broker.keys.halted("default")) == 600
    broker.resume_actor("stop")
    assert fetched(worker, 1_200) == jobs


def test_they_can_be_cancelled_and_purged_meanwhile(broker: FairBroker) -> None:
    one, *_ = send(broker, "stop", 5)
    broker.pause_actor("stop")
    fetched(ScriptedWorker(broker))
    assert broker.cancel(one) == "cancelled"
    assert broker.purge("default", dry_run=True) == 4
    assert broker.purge("default") == 4
    assert broker.stats(["default"])[0].waiting == 0
    broker.resume_actor("stop")


def test_jobs_of_a_tenant_without_a_free_slot_come_back_parked(broker: FairBroker) -> None:
    narrow = Limits(plan="free", concurrency=1, per_minute=99, weight=1, max_backlog=99)
    broker.limits.publish({"free": narrow}, {}, version=1)
    send(broker, "stop", 2)
    (running, *rest) = send(broker, "go", 3)
    broker.pause_actor("stop")
    worker = ScriptedWorker(broker)
    while not (ids := fetched(worker)):
        pass
    assert ids == [running]
    assert fetched(worker) == []
    assert broker.stats(["default"])[0].parked == 2
    broker.resume_actor("stop")
    assert broker.stats(["default"])[0].parked == broker.stats(["default"])[0].waiting == 4
    worker.complete(running)
    assert fetched(worker) not in ([], rest[:1]), "those that came first are next"


def test_a_suspect_of_a_paused_actor_waits_too(broker: FairBroker) -> None:
    (suspect,) = send(broker, "stop", 1)
    for _ in range(2):
        lost = ScriptedWorker(broker)
        lost.fetch(1)
        broker.scripts.call("bury_worker", lost.worker)
    broker.pause_actor("stop")
    worker = ScriptedWorker(broker)
    assert fetched(worker) == []
    broker.resume_actor("stop")
    assert broker.client.llen(broker.keys.wake("default")) == 1
    assert fetched(worker) == [suspect]
