"""The routing table: all that the server answers."""

from __future__ import annotations

from .dead_letters import ROUTES as DEAD_LETTERS
from .health import ROUTES as HEALTH
from .jobs import ROUTES as JOBS
from .metrics_page import ROUTES as METRICS
from .openapi import response
from .queues import ROUTES as QUEUES
from .role import Role
from .route import Route

ROUTES: tuple[Route, ...] = (
    *METRICS,
    *HEALTH,
    *QUEUES,
    *JOBS,
    *DEAD_LETTERS,
    Route(
        method="GET",
        path="/openapi.json",
        role=Role.ANYONE,
        summary="This description of all routes.",
        answer=lambda _: response(ROUTES),
    ),
)
