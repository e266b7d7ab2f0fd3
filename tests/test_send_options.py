"""The options of a send: checked in the caller, and kept from brokers that do not know them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from dramatiq import Message
from dramatiq.brokers.stub import StubBroker

from jobfleet.actors import actor, send_email
from jobfleet.broker import FairBroker
from jobfleet.broker.errors import InvalidPayload
from jobfleet.middleware.tenant_id import TenantId


@pytest.mark.parametrize("priority", [0, 10, -1, 1.0, "1", True])
def test_a_priority_outside_of_1_to_9_is_refused(priority: Any) -> None:
    with pytest.raises(InvalidPayload, match="allowed is a whole number from 1") as caught:
        send_email.with_options(priority=priority)
    assert caught.value.field == "priority"


@pytest.mark.parametrize("delay", [-1, 1.5, "1", True, timedelta(seconds=-1)])
def test_a_delay_that_is_no_duration_is_refused(delay: Any) -> None:
    with pytest.raises(InvalidPayload) as caught:
        send_email.with_options(delay=delay)
    assert caught.value.field == "delay"
    with pytest.raises(InvalidPayload):
        send_email.send_with_options(kwargs={"tenant_id": 1, "to": "a@b.de", "subject": "s", "body": "b"}, delay=delay)


@pytest.mark.parametrize("key", ["", 5, "a\nb", "a\0", "\ud800", "x" * 256])
def test_an_idempotency_key_that_is_none_is_refused_alike_by_an_actor_and_by_the_broker(key: Any) -> None:
    plain = Message[Any]("default", "act", (), {}, {"idempotency_key": key})
    said = []
    for send in (
        lambda: send_email.with_options(idempotency_key=key),
        lambda: FairBroker(middleware=[]).enqueue(plain),
    ):
        with pytest.raises(InvalidPayload, match=r"it must be text of 1 to 255 printable characters") as caught:
            send()
        assert caught.value.field == "idempotency_key"
        said.append(str(caught.value))
    assert said[0] == said[1]


@pytest.mark.parametrize("ttl", [0, -1, 1.5, "60s", None, True, timedelta(hours=1), 2**70])
def test_a_time_to_keep_the_result_that_is_none_is_refused(ttl: Any) -> None:
    with pytest.raises(InvalidPayload, match="allowed is a whole number of milliseconds from 1 to a year") as caught:
        send_email.send_with_options(
            kwargs={"tenant_id": 1, "to": "a@b.de", "subject": "s", "body": "b"}, result_ttl=ttl
        )
    assert caught.value.field == "result_ttl"
    if ttl is not None:
        with pytest.raises(InvalidPayload):
            send_email.with_options(result_ttl=ttl)


def test_an_unknown_option_is_met_with_the_one_that_was_meant() -> None:
    with pytest.raises(InvalidPayload, match=r"there is no option prority; did you mean priority\?"):
        send_email.with_options(prority=1)


def test_options_reach_the_message_on_our_broker() -> None:
    broker = FairBroker(middleware=[])

    @actor(broker=broker)
    def job(*, tenant_id: TenantId) -> None: ...

    message = job.with_options(idempotency_key="order:17", priority=1, delay=timedelta(seconds=2)).message(tenant_id=42)

    assert message.options == {"idempotency_key": "order:17", "priority": 1, "delay": 2000}
    assert message.kwargs == {"tenant_id": "42"}
    assert job.options == {}


def test_another_broker_gets_only_the_options_that_it_knows() -> None:
    stub = StubBroker()

    @actor(broker=stub, store_results=True, idempotency_ttl=5, max_retries=0)
    def job(*, tenant_id: TenantId) -> None: ...

    before = list(stub.middleware)
    message = job.with_options(idempotency_key="order:17", priority=1, max_retries=2).message(tenant_id=42)

    assert job.options == {"max_retries": 0}
    assert message.options == {"max_retries": 2}
    assert stub.middleware == before


def test_an_argument_may_come_from_the_pipeline() -> None:
    broker = FairBroker(middleware=[])

    @actor(broker=broker)
    def mail(*, tenant_id: TenantId, report: str) -> None: ...

    message = mail.with_options(pipe_as="report").message(tenant_id=1)  # type: ignore[call-arg]

    assert (message.kwargs, message.options) == ({"tenant_id": "1"}, {"pipe_as": "report"})
