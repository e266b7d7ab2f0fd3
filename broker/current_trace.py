"""The trace that this code belongs to."""

from __future__ import annotations

import sys
from typing import Any

from .lease import current_lease
from .trace_context import TraceContext

#: Where OpenTelemetry keeps its spans.
OPENTELEMETRY = "opentelemetry.trace"


def current_trace() -> TraceContext | None:
    """The current OpenTelemetry span's, else the running job's; None where there is neither."""
    # Whoever has a span has loaded the package, so nobody else needs to.
    opentelemetry: Any = sys.modules.get(OPENTELEMETRY)
    if opentelemetry is not None and (found := trace_of(opentelemetry.get_current_span())):
        return found
    lease = current_lease()
    return TraceContext.read(lease.options) if lease is not None else None


def trace_of(span: Any) -> TraceContext | None:
    """The context of an OpenTelemetry span, None for one that is no part of a trace."""
    context = span.get_span_context()
    if not context.is_valid:
        return None
    trace_id, span_id = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    return TraceContext(trace_id, span_id, bool(context.trace_flags & 1), context.trace_state.to_header())
