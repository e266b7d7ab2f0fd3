"""Several brokers in one process keep to themselves and may send to each other."""

from __future__ import annotations

import dramatiq
from dramatiq import Worker
from dramatiq.brokers.stub import StubBroker
from dropin_brokers import application, died, drained
from wait import eventually

from jobfleet.broker import FairBroker


def test_two_namespaces_are_two_fleets_in_one_process(redis_url: str, namespace: str) -> None:
    ran: list[tuple[str, str]] = []
    with (
        application("fair", redis_url, f"{namespace}-a") as (first, start_first),
        application("fair", redis_url, f"{namespace}-b") as (second, start_second),
    ):
        for name, broker in (("a", first), ("b", second)):

            @dramatiq.actor(actor_name="act", broker=broker)
            def act(number: int, name: str = name) -> None:
                ran.append((name, str(number)))

            act.send(1)
        start_second()
        eventually(lambda: ran == [("b", "1")])
        assert not drained(first)
        start_first()
        eventually(lambda: ran == [("b", "1"), ("a", "1")])
        second.get_actor("act").send(2)
        eventually(lambda: ran[2:] == [("b", "2")])


def test_an_actor_may_send_to_another_broker(redis_url: str, namespace: str) -> None:
    ran: list[str] = []
    with (
        application("fair", redis_url, f"{namespace}-a") as (first, start_first),
        application("dramatiq", redis_url, f"{namespace}-b") as (second, start_second),
    ):
        there = dramatiq.actor(actor_name="there", broker=second)(lambda: ran.append("there"))

        @dramatiq.actor(broker=first, max_retries=0)
        def here() -> None:
            ran.append("here")
            there.send()

        start_first()
        start_second()
        here.send()
        eventually(lambda: ran == ["here", "there"])
        eventually(lambda: drained(first) and not died(first))


def test_a_stub_broker_beside_ours_keeps_to_itself(broker: FairBroker) -> None:
    stub = StubBroker()
    ran: list[str] = []
    ours = dramatiq.actor(actor_name="act", broker=broker)(lambda: ran.append("ours"))
    theirs = dramatiq.actor(actor_name="act", broker=stub)(lambda: ran.append("stub"))
    workers = [Worker(each, worker_threads=1, worker_timeout=100) for each in (broker, stub)]
    for worker in workers:
        worker.start()
    try:
        theirs.send()
        stub.join("default")
        assert ran == ["stub"]
        ours.send()
        eventually(lambda: ran == ["stub", "ours"])
    finally:
        for worker in workers:
            worker.stop()
