"""Notices what changes in ``plans`` and ``tenants``, whoever changes it and by whatever means."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import psycopg

from ..middleware.database import Connection
from ..middleware.queries import Queries

LOGGER = logging.getLogger(__name__)
QUERIES = Queries(__file__)


class TenantWatch:
    """Watches the tables on one connection.

    A notification only says that it is time to look. Behind a pooler none may ever come, so whoever waits looks each
    second anyway, and a look misses nothing: it asks for what transactions wrote that an earlier look could not see.

    Parameters:
      connection: in autocommit, past any pooler where there is a way.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._since = str(self._row("horizon")["horizon"])
        self._plans: str | None = None
        self._known: set[str] = set()
        #: Of what the last look saw again and again, because a transaction that writes is still under way.
        self._seen: dict[str, str] = {}
        self._listen()

    def wait(self, seconds: float) -> None:
        """Until something changes, or until it is time to look anyway."""
        for _ in self._connection.notifies(timeout=seconds, stop_after=1):
            pass

    def look(self) -> set[str] | None:
        """The ids of tenants that have changed since the last look, or None when all may have."""
        row = self._row("look", since=self._since)
        changed: dict[str, str] = row["changed"]
        news = {tenant_id for tenant_id, writer in changed.items() if self._seen.get(tenant_id) != writer}
        self._since, self._seen = row["horizon"], changed
        self._known |= news
        if row["plans"] == self._plans and row["tenants"] == len(self._known):
            return news
        self._plans = row["plans"]
        return None

    def know(self, tenant_ids: Iterable[str]) -> None:
        """Take note of all tenants there are; to be told after each look that said that all may have changed."""
        self._known = set(tenant_ids)

    def _listen(self) -> None:
        try:
            self._connection.execute(QUERIES["listen"])
        except psycopg.Error as error:
            if self._connection.broken:
                raise
            LOGGER.info("PostgreSQL tells of no changes here (%s); they are looked for instead", error)

    def _row(self, statement: str, **values: Any) -> dict[str, Any]:
        # Never prepared: a pooler may take each statement to another session of the server.
        row = self._connection.execute(QUERIES[statement], values or None, prepare=False).fetchone()
        assert row is not None, "a SELECT without FROM has one row"
        return row
