"""What Prometheus scrapes."""

from __future__ import annotations

from starlette.responses import Response

from .call import Call
from .role import Role
from .route import Route


def _metrics(call: Call) -> Response:
    page, content_type = call.fleet.exporter.page()
    return Response(page, headers={"Content-Type": content_type})


ROUTES = (
    Route(
        method="GET",
        path="/metrics",
        role=Role.ANYONE,
        summary="All metrics, as text.",
        answer=_metrics,
        media_type="text/plain",
        bare=True,
    ),
)
