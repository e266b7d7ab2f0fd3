"""Sends are refused before the server's memory is used up, and nothing else is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from uuid import uuid4

import dramatiq
import pytest
import redis
from dramatiq import Message
from scripted_worker import ScriptedWorker
from wait import eventually
from worker_threads import StartWorker

from jobfleet.broker import FairBroker
from jobfleet.broker import memory as memory_module
from jobfleet.broker.errors import BacklogFull
from jobfleet.broker.scripts import pack


def job() -> Message[None]:
    return Message(queue_name="default", actor_name="act", args=(), kwargs={}, options={})


def refused(broker: FairBroker) -> bool:
    """Whether another job would be refused."""
    try:
        broker.enqueue(job())
    except BacklogFull:
        return True
    return False


@pytest.fixture
def limited(broker: FairBroker, monkeypatch: pytest.MonkeyPatch) -> Iterator[FairBroker]:
    """A broker that asks its server each time, and leaves it without a limit."""
    monkeypatch.setattr(memory_module, "KEPT_SECONDS", 0)
    yield broker
    broker.client.config_set("maxmemory", 0)


def leave_used(broker: FairBroker, percent: int) -> None:
    """Give the server a limit of which it has used about so much."""
    broker.client.config_set("maxmemory", broker.client.info("memory")["used_memory"] * 100 // percent)


def test_sends_are_refused_from_80_percent_and_taken_again_below_75(broker: FairBroker) -> None:
    verdicts = []
    for percent in (79, 80, 75, 74, 79):
        broker.scripts.call("upkeep", percent)
        verdicts.append(refused(broker))
    assert verdicts == [False, True, True, False, False]


def test_a_heartbeat_tells_it_as_well_as_a_monitor(broker: FairBroker) -> None:
    worker = ScriptedWorker(broker)
    worker.scripts.call("heartbeat", pack([worker.worker, 0, [], [], worker.queues, 93]))
    assert refused(broker)
    worker.beat()
    assert refused(broker), "a heartbeat that does not know changes nothing"
    worker.scripts.call("heartbeat", pack([worker.worker, 0, [], [], worker.queues, 0]))
    assert not refused(broker)


def test_a_verdict_ends_when_nobody_is_left_to_judge(broker: FairBroker) -> None:
    broker.client.hset(f"{broker.keys.prefix}:fleet", "lease", 1_000)
    broker.scripts.call("upkeep", 99)
    assert refused(broker)
    eventually(lambda: not refused(broker))


def test_a_verdict_of_a_clock_that_ran_ahead_does_not_last(broker: FairBroker) -> None:
    broker.upkeep()
    now = float(broker.client.hget(f"{broker.keys.prefix}:fleet", "last") or 0)
    broker.client.hset(f"{broker.keys.prefix}:fleet", "full", int(now) + 3_600_000)
    assert not refused(broker)


def test_a_nearly_full_server_refuses_sends_and_says_what_to_do(limited: FairBroker) -> None:
    known = job()
    limited.enqueue(known)
    leave_used(limited, 85)
    limited.upkeep()

    with pytest.raises(BacklogFull, match=r"80% of its memory \(maxmemory\): nothing was sent; .*raise maxmemory"):
        limited.enqueue(job())
    # A repeat of what was accepted is no new job
    limited.enqueue(known)
    assert limited.stats(["default"])[0].waiting == 1

    limited.client.config_set("maxmemory", 0)
    limited.upkeep()
    assert not refused(limited)


def test_retries_and_what_hooks_send_are_never_refused(limited: FairBroker, start_worker: StartWorker) -> None:
    # Given a job that runs, with a next stage, while the server becomes nearly full
    runs: list[str] = []
    running, go, ended = threading.Event(), threading.Event(), threading.Event()

    @dramatiq.actor(broker=limited, max_retries=1, min_backoff=1, max_backoff=1)
    def first() -> str:
        runs.append("first")
        running.set()
        go.wait(30)
        if len(runs) == 1:
            raise RuntimeError("the first attempt fails")
        return "passed on"

    @dramatiq.actor(broker=limited)
    def second(given: str) -> None:
        runs.append(given)
        ended.set()

    stages = [first.message(), second.message_with_options()]
    dramatiq.pipeline(stages, broker=limited).run()
    start_worker()
    assert running.wait(30)
    leave_used(limited, 88)
    limited.upkeep()
    assert refused(limited)

    # When it fails once and completes then
    go.set()

    # Then it is repeated, and its next stage is sent and runs
    assert ended.wait(30)
    assert runs == ["first", "first", "passed on"]
    assert refused(limited)


def test_the_server_is_asked_once_in_a_while_only(broker: FairBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "KEPT_SECONDS", 3_600)
    broker.upkeep()
    before = broker.client.info("commandstats")["cmdstat_info"]["calls"]
    for _ in range(10):
        broker.upkeep()
    assert broker.client.info("commandstats")["cmdstat_info"]["calls"] == before + 1, "that is our own question"


def test_a_server_that_does_not_tell_is_lived_with(limited: FairBroker, caplog: pytest.LogCaptureFixture) -> None:
    # Given a user that may not ask for INFO
    name, pool = f"user-{uuid4().hex[:8]}", limited.client.connection_pool
    limited.client.acl_setuser(name, enabled=True, nopass=True, keys=["*"], commands=["+@all", "-info"])
    options = {**pool.connection_kwargs, "username": name, "password": "none"}
    client = redis.Redis(connection_pool=redis.ConnectionPool(pool.connection_class, **options))
    theirs = FairBroker(client=client, namespace=limited.keys.prefix.strip("{}"))
    try:
        with caplog.at_level(logging.INFO):
            # When it is asked again and again
            for _ in range(3):
                theirs.upkeep()

        # Then that is told once, and the fleet goes on
        assert theirs.memory.percent() is None
        assert len([record for record in caplog.records if "does not tell" in record.message]) == 1
        assert not refused(theirs)
    finally:
        theirs.close()
        client.close()
        limited.client.acl_deluser(name)
