"""Middleware that carries trace context from sender to job."""

from __future__ import annotations

from typing import Any

from dramatiq import Broker, Message, Middleware

from ..broker.current_trace import current_trace
from ..broker.settings import settings
from ..broker.trace_context import TRACEPARENT, TRACESTATE, TraceContext, forget_trace


class Tracing(Middleware):
    """Middleware that stamps a message with the W3C trace context in which it is sent, where there is one.

    1. What the message has already stays: a retry, or a context that the sender gives as the options
       ``traceparent`` and ``tracestate``, such as those of an HTTP request. What is not valid is dropped.
    2. Else it is that of the current OpenTelemetry span,
    3. else that of the job that sends.
    4. Else, with the setting ``start_traces``, a new trace begins.
    """

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        """Stamp the options ``traceparent`` and ``tracestate``."""
        options = message.options
        context = None
        if TRACEPARENT in options or TRACESTATE in options:
            context = TraceContext.read(options)
            forget_trace(options)
        context = context or current_trace()
        if context is None and settings().start_traces:
            context = TraceContext.new()
        if context is not None:
            context.write(options)
