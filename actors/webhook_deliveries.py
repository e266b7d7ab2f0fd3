"""What became of every attempt to deliver a webhook."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from ..middleware.database import Database
from ..middleware.effects import patiently
from ..middleware.queries import Queries

QUERIES = Queries(__file__)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One attempt; a row of ``webhook_deliveries``."""

    webhook_id: int
    job_id: str
    tenant_id: str
    event: str
    url: str
    attempt: int
    status: Literal["success", "failed"]
    http_status: int | None
    response_time_ms: int
    error: str | None


class WebhookDeliveries:
    """The table of attempts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, delivery: Delivery) -> bool:
        """Write an attempt down; for some seconds over and over while the database is away.

        Returns:
          whether it is written.
        """
        return patiently(lambda: self._insert(delivery))

    def _insert(self, delivery: Delivery) -> None:
        with self._database.connection() as connection:
            connection.execute(QUERIES["record"], asdict(delivery))
