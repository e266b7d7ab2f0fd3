"""What is refused at the door, and that nothing of it is stored."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import dramatiq
import pytest
from dramatiq import Message
from wait import eventually
from worker_threads import StartWorker

from jobfleet.broker import FairBroker
from jobfleet.broker.encoding import encode
from jobfleet.broker.errors import InvalidPayload


@pytest.mark.parametrize(
    ("options", "arguments", "field"),
    [
        ({}, {"tenant_id": ""}, "tenant_id"),
        ({}, {"tenant_id": None}, "tenant_id"),
        ({}, {"tenant_id": True}, "tenant_id"),
        ({}, {"tenant_id": 1.5}, "tenant_id"),
        ({}, {"tenant_id": "a:b"}, "tenant_id"),
        ({}, {"tenant_id": "x" * 65}, "tenant_id"),
        ({}, {"tenant_id": "{ns}"}, "tenant_id"),
        ({"priority": 0}, {}, "priority"),
        ({"priority": 10}, {}, "priority"),
        ({"priority": True}, {}, "priority"),
        ({"priority": "high"}, {}, "priority"),
        ({"delay": -1}, {}, "delay"),
        ({"delay": "soon"}, {}, "delay"),
        ({}, {"text": "x" * 300_000}, ""),
        ({}, {"text": object()}, ""),
    ],
)
def test_bad_input_is_refused_and_nothing_is_stored(
    broker: FairBroker, options: dict[str, Any], arguments: dict[str, object], field: str
) -> None:
    @dramatiq.actor(broker=broker)
    def act(**arguments: object) -> None: ...

    with pytest.raises(InvalidPayload) as caught:
        act.send_with_options(kwargs=arguments, **options)
    assert caught.value.field == field
    assert stored(broker) == []


@pytest.mark.parametrize("name", ["half \ud800", "x" * 256, ""])
@pytest.mark.parametrize("field", ["queue_name", "actor_name", "message_id"])
def test_a_name_that_no_store_could_hold_is_refused(broker: FairBroker, field: str, name: str) -> None:
    sent = job(**{field: name})

    (refused,) = broker.enqueue_many([sent])

    assert isinstance(refused, InvalidPayload)
    assert refused.field == field
    str(refused).encode()
    assert stored(broker) == []


@pytest.mark.parametrize("key", ["half \udfff", "x" * 256, 7, b"bytes", ["list"]])
def test_an_idempotency_key_that_no_store_could_hold_is_refused(broker: FairBroker, key: object) -> None:
    with pytest.raises(InvalidPayload) as caught:
        broker.enqueue(job(options={"idempotency_key": key}))

    assert caught.value.field == "idempotency_key"
    assert stored(broker) == []


@pytest.mark.parametrize("name", ["x" * 255, "Straße\N{PARTY POPPER}", "a/b:c{d}"])
def test_every_other_name_is_taken(broker: FairBroker, name: str) -> None:
    for key in (name, None):
        broker.enqueue(job(queue_name=name, actor_name=name, options={"idempotency_key": key}))

    assert [(stats.queue, stats.waiting) for stats in broker.stats()] == [(name, 2)]


def test_what_a_hook_sends_under_such_a_name_becomes_a_dead_letter(
    broker: FairBroker, start_worker: StartWorker
) -> None:
    # Given an actor whose hook sends a job to a queue that cannot be
    class SendsOn(dramatiq.Middleware):
        def after_process_message(self, broker: dramatiq.Broker, message: Any, **_: object) -> None:
            broker.enqueue(job(queue_name="half \ud800", actor_name="x" * 300))

    broker.add_middleware(SendsOn())

    @dramatiq.actor(broker=broker)
    def act() -> None: ...

    # When it runs
    act.send()
    start_worker()

    # Then what it sent can be found, under names that come near
    (letter,) = eventually(broker.dead_letters.list)
    assert (letter.queue, letter.actor, letter.reason) == ("half \\ud800", "x" * 255, "invalid")
    assert "queue_name" in letter.error


def job(**fields: Any) -> Message[Any]:
    return Message(**{"queue_name": "default", "actor_name": "act", "args": (), "kwargs": {}, "options": {}, **fields})


def stored(broker: FairBroker) -> list[object]:
    return list(broker.client.scan_iter(match=f"*{broker.keys.prefix[1:-1]}*"))


def test_our_encoding_is_dramatiqs_byte_for_byte() -> None:
    message = Message[Any](
        queue_name="q",
        actor_name="a",
        args=(1, "\u00e9\ud83d\ude00"),
        kwargs={"x": [None, 1.5]},
        options={"o": {"k": True}},
    )
    assert encode(message) == message.encode()
    assert list(json.loads(encode(message))) == [field.name for field in dataclasses.fields(Message)]
