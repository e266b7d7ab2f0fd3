"""The routing table: all that the server answers."""

from __future__ import annotations

from .actors import ROUTES as ACTORS
from .alerts import ROUTES as ALERTS
from .audit import ROUTES as AUDIT
from .cancel_matching import ROUTES as CANCEL_MATCHING
from .dead_groups import ROUTES as DEAD_GROUPS
from .dead_letters import ROUTES as DEAD_LETTERS
from .health import ROUTES as HEALTH
from .jobs import ROUTES as JOBS
from .metrics_page import ROUTES as METRICS
from .openapi import response
from .queues import ROUTES as QUEUES
from .role import Role
from .route import Route
from .tenants import ROUTES as TENANTS

ROUTES: tuple[Route, ...] = (
    *METRICS,
    *HEALTH,
    *QUEUES,
    *JOBS,
    *CANCEL_MATCHING,
    # Before those of one dead letter, or "groups" would be the id of one.
    *DEAD_GROUPS,
    *DEAD_LETTERS,
    *TENANTS,
    *ACTORS,
    *ALERTS,
    *AUDIT,
    Route(
        method="GET",
        path="/openapi.json",
        role=Role.ANYONE,
        summary="This description of all routes.",
        answer=lambda _: response(ROUTES),
        bare=True,
    ),
)
