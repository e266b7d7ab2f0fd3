"""A job sent twice under one key is one job."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from dramatiq import Message
from scripted_worker import ScriptedWorker
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.broker.errors import IdempotencyConflict, InvalidPayload, TenantLimitExceeded
from jobfleet.broker.limits import Limits
from jobfleet.middleware.idempotency import Idempotency
from jobfleet.middleware.tenant_limits import TenantLimits


@pytest.fixture
def keyed(broker: FairBroker) -> FairBroker:
    """A broker on which keys protect."""
    broker.add_middleware(Idempotency())
    return broker


def order(
    key: str = "order:17", *, tenant: str = "acme", actor: str = "act", n: int = 1, **options: Any
) -> Message[Any]:
    return Message(
        queue_name="default",
        actor_name=actor,
        args=(),
        kwargs={"tenant_id": tenant, "n": n},
        options={"idempotency_key": key, **options},
    )


def keys_left(broker: FairBroker) -> int:
    return len(list(broker.client.scan_iter(match=f"{broker.keys.prefix}:key:*")))


def clean(broker: FairBroker) -> None:
    report = broker.audit()
    assert report.clean, str(report)


def test_the_same_key_again_is_the_same_job(keyed: FairBroker) -> None:
    first = keyed.enqueue(order())
    again = keyed.enqueue(order())
    assert again.message_id == first.message_id and again.options["duplicate"] is True
    assert "duplicate" not in first.options
    assert keyed.stats(["default"])[0].waiting == 1
    assert keyed.client.hget(keyed.keys.metrics, "duplicates\tdefault") == b"1"
    clean(keyed)


def test_a_key_belongs_to_a_tenant_and_an_actor(keyed: FairBroker) -> None:
    sent = [keyed.enqueue(message) for message in (order(), order(tenant="other"), order(actor="act2"))]
    assert len({message.message_id for message in sent}) == 3
    # Not even names that run into each other are one
    a = keyed.enqueue(order("c", actor="a:b"))
    b = keyed.enqueue(order("b:c", actor="a"))
    assert a.message_id != b.message_id


def test_the_same_key_with_another_payload_is_a_conflict(keyed: FairBroker) -> None:
    first = keyed.enqueue(order(n=1))
    with pytest.raises(IdempotencyConflict, match="has another payload: nothing was sent") as conflict:
        keyed.enqueue(order(n=2))
    assert conflict.value.job_id == first.message_id
    assert keyed.stats(["default"])[0].waiting == 1


def test_a_key_holds_while_its_job_runs_is_retried_or_dead(keyed: FairBroker) -> None:
    first = keyed.enqueue(order()).message_id
    worker = ScriptedWorker(keyed)
    worker.fetch()
    assert keyed.enqueue(order()).message_id == first
    worker.retry(first, 0)
    assert keyed.enqueue(order()).message_id == first
    worker.fetch()
    worker.fail(first)
    assert keyed.enqueue(order()).message_id == first
    # A replay keeps it
    keyed.dead_letters.replay([first])
    assert keyed.enqueue(order()).message_id == first
    clean(keyed)


def test_a_key_is_forgotten_some_time_after_its_job_completed(keyed: FairBroker) -> None:
    first = keyed.enqueue(order(idempotency_ttl=0.3)).message_id
    worker = ScriptedWorker(keyed)
    worker.fetch()
    worker.complete(first)
    assert keyed.enqueue(order()).message_id == first
    eventually(lambda: keys_left(keyed) == 0)
    assert keyed.enqueue(order()).message_id != first


def test_the_time_counts_after_a_replay_too(keyed: FairBroker) -> None:
    first = keyed.enqueue(order(idempotency_ttl=0.3)).message_id
    worker = ScriptedWorker(keyed)
    worker.fetch()
    worker.fail(first)
    keyed.dead_letters.replay([first])
    worker.fetch()
    worker.complete(first)
    eventually(lambda: keys_left(keyed) == 0)


@pytest.mark.parametrize("end", ["cancel", "discard", "purge", "cancel while it runs"])
def test_a_job_that_was_given_up_frees_its_key(keyed: FairBroker, end: str) -> None:
    first = keyed.enqueue(order()).message_id
    worker = ScriptedWorker(keyed)
    if end == "cancel":
        keyed.cancel(first)
    elif end == "purge":
        keyed.flush("default")
    else:
        worker.fetch()
        if end == "discard":
            worker.fail(first)
            keyed.dead_letters.discard([first])
        else:
            keyed.cancel(first)
            worker.settle(first, "cancelled")
    assert keys_left(keyed) == 0
    assert keyed.enqueue(order()).message_id != first
    clean(keyed)


def test_a_duplicate_is_not_charged(keyed: FairBroker) -> None:
    keyed.add_middleware(TenantLimits())
    limits = Limits(plan="free", concurrency=1, per_minute=2, weight=1, max_backlog=10)
    keyed.limits.publish({"free": limits}, {}, version=1)
    for _ in range(5):
        keyed.enqueue(order())
    keyed.enqueue(order("another"))
    with pytest.raises(TenantLimitExceeded):
        keyed.enqueue(order("third"))
    assert keys_left(keyed) == 2, "what was refused holds no key"


def test_a_bulk_send_says_which_are_duplicates(keyed: FairBroker) -> None:
    outcomes = keyed.enqueue_many([order("a"), order("b"), order("a"), order("b", n=5)])
    assert [type(outcome).__name__ for outcome in outcomes] == ["Message", "Message", "Message", "IdempotencyConflict"]
    assert isinstance(outcomes[0], Message) and isinstance(outcomes[2], Message)
    assert outcomes[2].message_id == outcomes[0].message_id


def test_many_senders_of_one_key_send_one_job(keyed: FairBroker) -> None:
    ids: set[str] = set()

    def send() -> None:
        for _ in range(50):
            ids.add(keyed.enqueue(order()).message_id)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 1 and keyed.stats(["default"])[0].waiting == 1


def test_without_the_middleware_a_key_protects_nothing(broker: FairBroker) -> None:
    first, second = broker.enqueue(order()), broker.enqueue(order())
    assert first.message_id != second.message_id


@pytest.mark.parametrize("ttl", [0, -1, True, "a day", timedelta(days=400)])
def test_a_wrong_time_is_named(keyed: FairBroker, ttl: Any) -> None:
    with pytest.raises(InvalidPayload, match="idempotency_ttl is .*; it must be seconds from"):
        keyed.enqueue(order(idempotency_ttl=ttl))
    assert keyed.client.hlen(keyed.keys.jobs) == 0
