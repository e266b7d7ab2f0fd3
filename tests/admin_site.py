"""What tests of the monitor's HTTP share: its tokens, and how they read an answer."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from requests import Response

from jobfleet.broker import FairBroker
from jobfleet.middleware.database import Database
from jobfleet.monitoring.admin.monitored import Monitored
from jobfleet.monitoring.admin.role import Role
from jobfleet.monitoring.admin.route import Route
from jobfleet.monitoring.admin.tokens import Tokens
from jobfleet.monitoring.admin_change import AdminChange
from jobfleet.monitoring.alert_receivers import AlertReceivers
from jobfleet.monitoring.exporter import Exporter

TOKENS = Tokens(admin="the admin's", viewer="the viewer's", alertmanager="the alertmanager's")
PAUSE = "/admin/queues/{queue}/pause"
#: What each role sends as Authorization.
AUTHORIZATION = {
    Role.ANYONE: "",
    Role.VIEWER: f"Bearer {TOKENS.viewer}",
    Role.ALERTMANAGER: f"Bearer {TOKENS.alertmanager}",
    Role.ADMIN: f"Bearer {TOKENS.admin}",
}


def monitored(broker: FairBroker, pool: Database, receivers: AlertReceivers | None = None) -> Monitored:
    """A fleet whose monitor lives."""
    return Monitored(broker, pool, Exporter(broker, pool), lambda: True, receivers or AlertReceivers())


def data(answer: Response) -> Any:
    """What an answer brings, which must be a yes."""
    content = answer.json()
    assert (answer.status_code, content["success"]) == (200, True), answer.text
    return content["data"]


def refusal(answer: Response, status: int) -> str:
    """The sentence of a no."""
    content = answer.json()
    assert (answer.status_code, content["success"]) == (status, False), answer.text
    return str(content["error"])


def path_of(route: Route) -> str:
    """A path of a route."""
    return re.sub(r"{\w+}", "email", route.path)


def change(**own: Any) -> AdminChange:
    """The audit row of a pause that is under way."""
    given: dict[str, Any] = {
        "id": uuid4(), "at": datetime.now(UTC), "role": "admin", "fingerprint": "0", "remote": "::1",
        "forwarded_for": None, "method": "POST", "route": PAUSE, "parameters": {"queue": "email"},
    }  # fmt: skip
    return AdminChange(**{**given, **own})
