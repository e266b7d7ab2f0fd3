"""Whether the monitor lives, and whether it can do its work."""

from __future__ import annotations

from ...broker.connection import reachable
from .call import Call
from .refused import Refused
from .role import Role
from .route import look


def _alive(call: Call) -> dict[str, str]:
    """Touches no server: a monitor is not to be killed because Redis is away."""
    if not call.fleet.lives():
        raise Refused(503, "the monitor's own loop has stopped")
    return {"status": "alive"}


def _ready(call: Call) -> dict[str, str]:
    with reachable(call.fleet.broker.client):
        call.fleet.broker.client.ping()
    with call.fleet.database.connection():
        pass
    return {"status": "ready"}


ROUTES = (
    look(
        "/healthz",
        _alive,
        "200 while the monitor does its rounds; touches neither Redis nor PostgreSQL.",
        refusals=(503,),
        role=Role.ANYONE,
    ),
    look(
        "/readyz",
        _ready,
        "200 while Redis and PostgreSQL answer.",
        refusals=(503,),
        role=Role.ANYONE,
    ),
)
