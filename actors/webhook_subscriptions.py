"""The endpoints that tenants subscribed to their events."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..middleware.database import Database
from ..middleware.queries import Queries

QUERIES = Queries(__file__)


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """One endpoint."""

    id: int
    url: str
    secret: str = field(repr=False)
    #: The secret before the last rotation, while receivers may still know only that.
    secret_previous: str | None = field(repr=False)
    active: bool
    #: Whether the job that asks has already delivered to it.
    delivered: bool

    @property
    def secrets(self) -> list[str]:
        """What to sign with, the new secret first."""
        return [self.secret, self.secret_previous] if self.secret_previous else [self.secret]


class WebhookSubscriptions:
    """Reads and disables endpoints. Every method raises ``Unavailable`` when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, tenant_id: str, webhook_id: int, job_id: str) -> Webhook | None:
        """An endpoint of the tenant; None if it has no such one."""
        with self._database.connection() as connection:
            row = connection.execute(
                QUERIES["find"], {"tenant_id": tenant_id, "webhook_id": webhook_id, "job_id": job_id}
            ).fetchone()
        return Webhook(**row) if row else None

    def subscribed(self, tenant_id: str, event: str) -> list[int]:
        """The ids of the tenant's active endpoints that want an event."""
        with self._database.connection() as connection:
            rows = connection.execute(QUERIES["subscribed"], {"tenant_id": tenant_id, "event": event}).fetchall()
        return [row["id"] for row in rows]

    def disable(self, webhook_id: int, reason: str) -> None:
        """Send nothing to an endpoint any more."""
        with self._database.connection() as connection:
            connection.execute(QUERIES["disable"], {"webhook_id": webhook_id, "reason": reason})
