"""A wake token that a worker took and makes no use of is another worker's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq import Worker
from wait import eventually, present

from jobfleet.broker import FairBroker
from jobfleet.broker.fetcher import Fetcher
from jobfleet.broker.lease import Lease
from jobfleet.broker.wakeup import Wakeup


@pytest.fixture
def wakeup(broker: FairBroker) -> Iterator[Wakeup]:
    wakeup = Wakeup(broker.client, broker.keys.nudge("test"))
    yield wakeup
    wakeup.drop()


@pytest.fixture
def slow(redis_url: str, namespace: str) -> Iterator[FairBroker]:
    """A broker whose heartbeats, which mend a token that is lost, are further apart than a test lasts."""
    broker = FairBroker(redis_url, namespace=namespace, lease_ms=120_000)
    yield broker
    broker.close()


def tokens(broker: FairBroker, queue: str = "default") -> int:
    return int(broker.client.llen(broker.keys.wake(queue)))


def nothing_is_left(broker: FairBroker) -> bool:
    return not broker.client.exists(broker.keys.nudge("test"))


def test_a_token_that_came_to_a_read_goes_back_when_the_read_is_dropped(broker: FairBroker, wakeup: Wakeup) -> None:
    assert not wakeup.wait((broker.keys.wake("default"),), 0)
    broker.client.rpush(broker.keys.wake("default"), 1)
    eventually(lambda: tokens(broker) == 0)
    wakeup.drop()
    assert tokens(broker) == 1
    assert nothing_is_left(broker)


def test_a_read_that_took_nothing_ends_and_leaves_nothing(broker: FairBroker, wakeup: Wakeup) -> None:
    key = broker.keys.wake("default")
    for _ in range(3):
        assert not wakeup.wait((key,), 0)
        wakeup.drop()
        assert not wakeup.holds
    broker.client.rpush(key, 1)
    assert tokens(broker) == 1, "no read is left that would take it"
    assert nothing_is_left(broker)
    assert wakeup.wait((key,), 5)


def test_a_read_of_other_queues_gives_back_what_the_one_before_took(broker: FairBroker, wakeup: Wakeup) -> None:
    one, other = broker.keys.wake("one"), broker.keys.wake("other")
    assert not wakeup.wait((one, other), 0)
    broker.client.rpush(one, 1)
    assert not wakeup.wait((other,), 0)
    assert tokens(broker, "one") == 1
    broker.client.rpush(other, 1)
    assert wakeup.wait((other,), 5)
    wakeup.look([one])
    assert tokens(broker, "other") == 1, "the fetch did not look there"


def test_a_worker_that_is_full_leaves_the_token_to_another(slow: FairBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given an idle worker with one thread that knows when its next job is due
    ended, second = threading.Event(), threading.Event()

    @dramatiq.actor(broker=slow)
    def hold() -> None:
        ended.wait(30)

    fetch = Fetcher._fetch

    def fetch_while_another_is_sent(fetcher: Fetcher, *wants: Any) -> list[Lease]:
        found = fetch(fetcher, *wants)
        if found and not second.is_set():
            hold.send()
            second.set()
        return found

    monkeypatch.setattr(Fetcher, "_fetch", fetch_while_another_is_sent)
    worker = Worker(slow, worker_threads=1, worker_timeout=100)
    worker.start()
    hold.send_with_options(delay=300)
    # When another one is sent in the moment between its fetch and its thread's start
    eventually(second.is_set)
    # Then the token, which came to its read, goes back
    eventually(lambda: tokens(slow) == 1)
    ended.set()
    worker.stop()


def test_a_worker_that_stops_leaves_the_token_to_another(slow: FairBroker) -> None:
    @dramatiq.actor(broker=slow)
    def act() -> None: ...

    worker = Worker(slow, worker_threads=1, worker_timeout=100)
    worker.start()
    eventually(lambda: slow._process and slow._process.fetcher.wakeup.holds)
    present(slow._process).stop_fetching()
    act.send()
    eventually(lambda: tokens(slow) == 1)
    worker.stop()
