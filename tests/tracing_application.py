"""An application that traces: spans of its worker go to a file, one a line."""

from __future__ import annotations

import os
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from jobfleet.actors import actor
from jobfleet.middleware.tenant_id import TenantId

spans = Path(os.environ["SPANS_FILE"]).open("a")  # noqa: SIM115 (open as long as the process)
exporter = ConsoleSpanExporter(out=spans, formatter=lambda span: f"{span.to_json(indent=None)}\n")
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)


@actor(queue_name="report")
def sell(*, tenant_id: TenantId) -> None:
    """Send the next job."""
    ship.send(tenant_id=tenant_id)


@actor(queue_name="report")
def ship(*, tenant_id: TenantId) -> None:
    """Do nothing."""
