"""Middleware that makes OpenTelemetry spans; the only module that needs the extra ``otel``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from dramatiq import Broker, Message, Middleware
from dramatiq.broker import MessageProxy
from opentelemetry import context, trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, TraceFlags, TraceState
from opentelemetry.util.types import AttributeValue

from .. import __version__
from ..broker.admission import tenant_of
from ..broker.current_trace import trace_of
from ..broker.errors import Cancelled, InvalidPayload, LeaseLost
from ..broker.lease import current_lease
from ..broker.outcome import describe
from ..broker.trace_context import TraceContext

#: Outcomes of an attempt that are its own fault.
ERRORS = frozenset({"retry", "failed"})


class Spans(Middleware):
    """Middleware that makes a producer span for each send and a consumer span for each attempt.

    Names and attributes follow OpenTelemetry's conventions for messaging. A bulk send is one span. The attempts of a
    job are children of the span that sent it; what a job sends is a child of its attempt.

    ``make_broker`` puts it first where OpenTelemetry is installed, so that all other hooks run inside of the attempt's
    span; it needs ``Tracing`` beside it. Sends have spans on a ``FairBroker`` only.

    Parameters:
      provider: makes the spans; the global one if None.
    """

    def __init__(self, provider: trace.TracerProvider | None = None) -> None:
        self._provider = provider
        self._tracer = trace.get_tracer("jobfleet", __version__, tracer_provider=provider)
        #: What runs now, by message id: its span, and what ends its being current.
        self._open: dict[str, tuple[Span, Any]] = {}

    def sending(self, messages: Sequence[Message[Any]]) -> AbstractContextManager[object]:
        """The span of a send; a refusal is recorded in it."""
        if self._idle():
            return nullcontext()
        attributes: dict[str, AttributeValue] = {
            "messaging.system": "jobfleet",
            "messaging.operation.type": "send",
            "messaging.operation.name": "send",
        }
        if len(messages) == 1:
            attributes |= {"messaging.message.id": messages[0].message_id}
        else:
            attributes |= {"messaging.batch.message_count": len(messages)}
        actor = _only(message.actor_name for message in messages)
        for name, value in {
            "messaging.destination.name": _only(message.queue_name for message in messages),
            "jobfleet.tenant": _only(map(_tenant, messages)),
            "jobfleet.actor": actor,
        }.items():
            if value:
                attributes[name] = value
        return self._tracer.start_as_current_span(
            f"send {actor}".rstrip(), kind=SpanKind.PRODUCER, attributes=attributes
        )

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Begin the span of an attempt."""
        if self._idle():
            return
        sent = TraceContext.read(message.options)
        parent = trace.set_span_in_context(_remote(sent), context.Context()) if sent else context.Context()
        lease = current_lease()
        attributes: dict[str, AttributeValue] = {
            "messaging.system": "jobfleet",
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            "messaging.destination.name": message.queue_name,
            "messaging.message.id": message.message_id,
            "jobfleet.actor": message.actor_name,
        }
        if lease is not None:
            attributes |= {"jobfleet.tenant": lease.job.tenant_id, "jobfleet.attempt": lease.job.attempt}
        span = self._tracer.start_span(
            f"process {message.actor_name}", context=parent, kind=SpanKind.CONSUMER, attributes=attributes
        )
        if sent is None and (begun := trace_of(span)):
            # The sender did not trace; so the job's log lines and later attempts belong to this trace too.
            begun.write(message.options)
        self._open[message.message_id] = span, context.attach(trace.set_span_in_context(span))

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        """End it, with what becomes of the job."""
        self._end(message, _outcome(message, exception), exception)

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:
        """End the span of an attempt that a hook has passed over."""
        self._end(message, "failed" if message.failed else "skipped", message._exception)

    def _idle(self) -> bool:
        """Whether nobody has set up tracing in this process, although its package is installed."""
        return self._provider is None and isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)

    def _end(self, message: MessageProxy, outcome: str, error: BaseException | None) -> None:
        opened = self._open.pop(message.message_id, None)
        if opened is None:
            return
        span, token = opened
        context.detach(token)
        span.set_attribute("jobfleet.outcome", outcome)
        if error is not None:
            span.record_exception(error)
        if outcome in ERRORS:
            span.set_status(StatusCode.ERROR, describe(error) or None)
            span.set_attribute("error.type", type(error).__qualname__ if error is not None else outcome)
        span.end()


def _only(values: Any) -> str:
    """The value that all have; empty where they differ."""
    found = set(values)
    return str(found.pop()) if len(found) == 1 else ""


def _tenant(message: Message[Any]) -> str:
    try:
        return tenant_of(message)
    except InvalidPayload:
        # The send says so itself.
        return ""


def _remote(sent: TraceContext) -> Span:
    state = TraceState.from_header([sent.state]) if sent.state else None
    flags = TraceFlags(TraceFlags.SAMPLED if sent.sampled else TraceFlags.DEFAULT)
    return NonRecordingSpan(SpanContext(int(sent.trace_id, 16), int(sent.span_id, 16), True, flags, state))


def _outcome(message: MessageProxy, error: BaseException | None) -> str:
    """What the settle will say of a run; see ``broker/outcome.py``."""
    lease = current_lease()
    if isinstance(error, Cancelled):
        return "cancelled"
    if isinstance(error, LeaseLost) or (lease is not None and lease.released):
        return "released"
    if lease is not None and lease.postponed:
        return "postponed"
    if message.failed:
        return "failed"
    if lease is not None and lease.next_run:
        return "retry"
    return "failed" if error is not None or (lease is not None and lease.reason) else "completed"
