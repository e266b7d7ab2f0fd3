"""The rows of what Alertmanager told the monitor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from ..middleware.database import Database
from ..middleware.queries import Queries
from .alert import Alert
from .storable import name, text

QUERIES = Queries(__file__)

#: Rows that are forgotten in one transaction.
BATCH = 500
#: Characters that are stored of a name or of a label's value, and of an annotation or an address.
NAME_MOST = 255
TEXT_MOST = 10_000


class AlertLog:
    """Stores and finds what was told of alerts.

    Parameters:
      database: where the rows are.

    Every method raises ``Unavailable`` when the server is away.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, alerts: Sequence[Alert]) -> list[Alert]:
        """Store what was told.

        Returns:
          those of which the receivers do not know yet how they stand.
        """
        # Of one alert that is told of twice the last telling counts; one statement may not write a row twice.
        told = {_key(alert): alert for alert in alerts}
        rows = Jsonb([_row(alert) for alert in told.values()])
        with self._database.connection() as connection:
            stored = connection.execute(QUERIES["store"], {"alerts": rows}).fetchall()
        news = {(row["fingerprint"], row["starts_at"]) for row in stored if row["is_news"]}
        return [alert for key, alert in told.items() if key in news]

    def passed_on(self, alerts: Sequence[Alert]) -> None:
        """Write down that all receivers were told of these."""
        values = {
            "fingerprints": [_key(alert)[0] for alert in alerts],
            "beginnings": [alert.starts_at for alert in alerts],
            "statuses": [alert.status for alert in alerts],
        }
        with self._database.connection() as connection:
            connection.execute(QUERIES["passed_on"], values)

    def alerts(
        self,
        *,
        status: str | None = None,
        name: str | None = None,
        severity: str | None = None,
        queue: str | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        after: int | None = None,
        limit: int = 50,
    ) -> list[dict[str, Any]]:
        """The newest alerts that match all that is given, newest first.

        Parameters:
          status: how they stand, ``firing`` or ``resolved``.
          name, severity, queue: their labels.
          since: first told of at this moment or later.
          before: first told of before this moment.
          after: the id of the last alert of the page before.
          limit: how many at most.
        """
        filters: dict[str, Any] = {"status": status, "name": name, "severity": severity, "queue": queue}
        filters |= {"since": since, "before": before, "after": after, "limit": limit}
        with self._database.connection() as connection:
            return connection.execute(QUERIES["alerts"], filters).fetchall()

    def forget(self, days: int) -> int:
        """Delete what nobody has told of for longer; returns how many rows that were."""
        gone = 0
        while True:
            with self._database.connection() as connection:
                deleted = connection.execute(QUERIES["forget"], {"days": days, "limit": BATCH}).rowcount
            gone += deleted
            if deleted < BATCH:
                return gone


def _key(alert: Alert) -> tuple[str, datetime]:
    return name(alert.fingerprint, NAME_MOST), alert.starts_at


def _row(alert: Alert) -> dict[str, Any]:
    """An alert of which PostgreSQL takes every part, whatever labels somebody has thought of."""
    return {
        "fingerprint": _key(alert)[0],
        "starts_at": alert.starts_at.isoformat(),
        "ends_at": alert.ends_at and alert.ends_at.isoformat(),
        "name": name(alert.name, NAME_MOST),
        "severity": name(alert.severity, NAME_MOST),
        "status": alert.status,
        "labels": {name(key, NAME_MOST): text(value, TEXT_MOST) for key, value in alert.labels.items()},
        "annotations": {name(key, NAME_MOST): text(value, TEXT_MOST) for key, value in alert.annotations.items()},
        "receiver": name(alert.receiver, NAME_MOST),
        "generator_url": text(alert.generator_url, TEXT_MOST),
    }
