"""OpenTelemetry's spans of sends and attempts, as its own SDK has them in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise

import pytest
from dramatiq import Message
from dramatiq.middleware import AsyncIO
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from wait import eventually
from worker_threads import StartWorker

from jobfleet.actors import actor, make_broker
from jobfleet.broker import FairBroker
from jobfleet.broker.errors import InvalidPayload, Unavailable
from jobfleet.middleware.spans import Spans
from jobfleet.middleware.tenant_id import TenantId


class Recorded:
    """What a provider's spans were."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def spans(self, name: str, count: int = 1) -> list[ReadableSpan]:
        """Wait until there are so many spans of the name; in the order of their ends."""

        def found() -> list[ReadableSpan]:
            return [span for span in self._exporter.get_finished_spans() if span.name == name]

        eventually(lambda: len(found()) == count)
        return found()

    def span(self, name: str) -> ReadableSpan:
        """Wait for the only span of the name."""
        return self.spans(name)[0]


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def broker(redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch, recorded: Recorded) -> Iterator[FairBroker]:
    """The fleet's own broker, its spans made by a provider of this test instead of the process's."""
    monkeypatch.setenv("JOBFLEET_NAMESPACE", namespace)
    broker = make_broker(redis_url)
    assert isinstance(broker.middleware[0], Spans)
    broker.middleware.pop(0)
    broker.add_middleware(Spans(recorded.provider), before=type(broker.middleware[0]))
    broker.add_middleware(AsyncIO())
    yield broker
    broker.close()


def is_child(span: ReadableSpan, parent: ReadableSpan) -> bool:
    assert span.context is not None
    assert parent.context is not None
    return (
        span.parent is not None
        and span.parent.span_id == parent.context.span_id
        and span.context.trace_id == parent.context.trace_id
    )


def test_an_attempt_is_a_child_of_its_send(broker: FairBroker, start_worker: StartWorker, recorded: Recorded) -> None:
    # Given an actor that sends another job, from a coroutine
    @actor(broker=broker, queue_name="report")
    async def parent(*, tenant_id: TenantId) -> None:
        await asyncio.sleep(0)
        child.send(tenant_id=tenant_id)

    @actor(broker=broker, queue_name="report")
    def child(*, tenant_id: TenantId) -> None: ...

    # When it is sent while a request is served
    with recorded.provider.get_tracer("shop").start_as_current_span("request"):
        job_id = parent.send(tenant_id=42).message_id
    start_worker()

    # Then there is one chain from the request to the last attempt
    chain = [
        recorded.span(name) for name in ("request", "send parent", "process parent", "send child", "process child")
    ]
    assert all(is_child(span, above) for above, span in pairwise(chain))

    # And kinds and attributes are those of the conventions for messaging
    assert [span.kind for span in chain[1:3]] == [SpanKind.PRODUCER, SpanKind.CONSUMER]
    assert dict(chain[1].attributes or {}) == {
        "messaging.system": "jobfleet",
        "messaging.operation.type": "send",
        "messaging.operation.name": "send",
        "messaging.destination.name": "report",
        "messaging.message.id": job_id,
        "jobfleet.actor": "parent",
        "jobfleet.tenant": "42",
    }
    assert dict(chain[2].attributes or {}) == {
        "messaging.system": "jobfleet",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.name": "report",
        "messaging.message.id": job_id,
        "jobfleet.actor": "parent",
        "jobfleet.tenant": "42",
        "jobfleet.attempt": 1,
        "jobfleet.outcome": "completed",
    }
    assert {span.status.status_code for span in chain} == {StatusCode.UNSET}


def test_each_attempt_has_its_span_with_what_became_of_it(
    broker: FairBroker, start_worker: StartWorker, recorded: Recorded
) -> None:
    # Given an actor that is put off, then fails, and fails for good
    runs = iter([Unavailable("the database is away", retry_after=0.01), ValueError("first"), ValueError("second")])

    @actor(broker=broker, max_retries=1, min_backoff=1, max_backoff=1)
    def broken(*, tenant_id: TenantId) -> None:
        raise next(runs)

    # When a job of it runs to its end
    broken.send(tenant_id=42)
    start_worker()
    spans = recorded.spans("process broken", 3)

    # Then the attempts are children of the one send, and each says how it ended
    sent = recorded.span("send broken")
    assert all(is_child(span, sent) for span in spans)
    told = [(span.attributes or {}).get("jobfleet.outcome") for span in spans]
    assert told == ["postponed", "retry", "failed"]
    assert [(span.attributes or {}).get("jobfleet.attempt") for span in spans] == [1, 1, 2]
    assert [span.status.status_code for span in spans] == [StatusCode.UNSET, StatusCode.ERROR, StatusCode.ERROR]
    assert [(span.attributes or {}).get("error.type") for span in spans] == [None, "ValueError", "ValueError"]
    assert spans[2].status.description == "ValueError: second"
    assert [(event.attributes or {})["exception.message"] for event in spans[2].events] == ["second"]


def test_a_job_whose_sender_does_not_trace_begins_a_trace_that_its_retry_goes_on_with(
    broker: FairBroker, start_worker: StartWorker, recorded: Recorded
) -> None:
    runs = iter([ValueError("first"), None])

    @actor(broker=broker, min_backoff=1, max_backoff=1)
    def once(*, tenant_id: TenantId) -> None:
        if error := next(runs):
            raise error

    # Given a sender without any of this
    plain = FairBroker(client=broker.client, middleware=[])
    plain.enqueue(Message(queue_name="default", actor_name="once", args=(), kwargs={"tenant_id": "42"}, options={}))
    start_worker()

    first, second = recorded.spans("process once", 2)
    assert first.parent is None
    assert is_child(second, first)


def test_a_bulk_send_is_one_span(broker: FairBroker, start_worker: StartWorker, recorded: Recorded) -> None:
    @actor(broker=broker)
    def many(*, tenant_id: TenantId) -> None: ...

    broker.enqueue_many([many.message(tenant_id=42) for _ in range(3)])
    start_worker()

    sent = recorded.span("send many")
    assert (sent.attributes or {}).get("messaging.batch.message_count") == 3
    assert "messaging.message.id" not in (sent.attributes or {})
    assert all(is_child(span, sent) for span in recorded.spans("process many", 3))


def test_a_refused_send_says_so(broker: FairBroker, recorded: Recorded) -> None:
    @actor(broker=broker)
    def refused(*, tenant_id: TenantId) -> None: ...

    message = refused.message(tenant_id=42)
    message.options["priority"] = 17
    with pytest.raises(InvalidPayload):
        broker.enqueue(message)

    sent = recorded.span("send refused")
    assert sent.status.status_code is StatusCode.ERROR
    assert "priority is 17" in (sent.status.description or "")


def test_without_a_provider_nothing_is_carried(redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given OpenTelemetry's package, and nobody who has set it up
    monkeypatch.setenv("JOBFLEET_NAMESPACE", namespace)
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    broker = make_broker(redis_url)

    @actor(broker=broker)
    def plain(*, tenant_id: TenantId) -> None: ...

    assert "traceparent" not in plain.send(tenant_id=42).options
    broker.close()
