"""The audit rows of what is changed over HTTP.

1. A row is written to PostgreSQL before the change and completed after it.
2. While PostgreSQL is away changes go on: their rows are kept in Redis, which every change needs anyway.
3. The monitor writes what is kept as soon as it can. A row has an id of its own: two monitors may do so at once, and
   one that dies in between is made good by the next round.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from ..broker.connection import reachable
from ..broker.errors import JobfleetError
from ..broker.fair_broker import FairBroker
from ..middleware.database import Connection, Database
from ..middleware.queries import Queries
from .admin_change import AdminChange

LOGGER = logging.getLogger(__name__)
QUERIES = Queries(__file__)

#: Rows that Redis keeps at most: people make changes, and scripts that they forget.
KEPT_MOST = 10_000
#: Rows that are written, or forgotten, in one transaction.
BATCH = 500
#: What PostgreSQL says of a row that it will never take.
UNFIT = (psycopg.DataError, psycopg.IntegrityError)


class AdminAudit:
    """Writes, keeps and finds audit rows.

    Parameters:
      database: where they belong.
      broker: in whose Redis they wait meanwhile.
    """

    def __init__(self, database: Database, broker: FairBroker) -> None:
        self._database = database
        self._redis = broker.commands
        self._key = broker.keys.admin_audit

    def write(self, change: AdminChange) -> None:
        """Write a change as it is known so far.

        Raises:
          Unavailable: PostgreSQL is away.
        """
        with self._database.connection() as connection:
            _write(connection, change)

    def keep(self, change: AdminChange) -> None:
        """Let a change wait in Redis.

        Raises:
          JobfleetError: as many wait as may.
          redis.RedisError, dramatiq.errors.ConnectionClosed, BacklogFull: Redis cannot take it.
        """
        with reachable(self._redis):
            if self._redis.llen(self._key) >= KEPT_MOST:
                raise JobfleetError(f"{KEPT_MOST} audit rows wait already for PostgreSQL")
            self._redis.rpush(self._key, change.packed())

    def write_kept(self) -> int:
        """Write what waits; returns how many rows that were.

        Raises:
          Unavailable: PostgreSQL is away; all of it goes on waiting.
          redis.RedisError, dramatiq.errors.ConnectionClosed: Redis is away.
        """
        written = 0
        with reachable(self._redis):
            while waiting := self._redis.lrange(self._key, 0, BATCH - 1):
                with self._database.connection() as connection:
                    written += sum(_written(connection, packed) for packed in waiting)
                # One by one and by value: what another monitor has taken out already is not there a second time.
                for packed in waiting:
                    self._redis.lrem(self._key, 1, packed)
        return written

    def changes(
        self,
        *,
        route: str | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        after: UUID | None = None,
        limit: int = 50,
    ) -> list[dict[str, Any]]:
        """The newest changes that match all that is given, newest first.

        Parameters:
          route: as the routing table has it, such as ``/admin/queues/{queue}/pause``.
          since: asked for at this moment or later.
          before: asked for before this moment.
          after: the id of the last change of the page before.
          limit: how many at most.

        Raises:
          Unavailable: PostgreSQL is away.
          JobfleetError: there is no row `after`.
        """
        filters = {"route": route, "since": since, "before": before, "after": after, "limit": limit}
        with self._database.connection() as connection:
            if after is not None and connection.execute(QUERIES["known"], {"id": after}).fetchone() is None:
                raise JobfleetError(f"there is no change '{after}' any more behind which a page could begin")
            return connection.execute(QUERIES["changes"], filters).fetchall()

    def forget(self, days: int) -> int:
        """Delete what is older; returns how many rows that were. Raises ``Unavailable`` when PostgreSQL is away."""
        gone = 0
        while True:
            with self._database.connection() as connection:
                deleted = connection.execute(QUERIES["forget"], {"days": days, "limit": BATCH}).rowcount
            gone += deleted
            if deleted < BATCH:
                return gone


def _written(connection: Connection, packed: bytes) -> bool:
    """Write one row that waited; one that can never be written is told of, and holds up no other."""
    try:
        change = AdminChange.unpacked(packed)
        with connection.transaction():
            _write(connection, change)
    except (ValueError, *UNFIT) as error:
        LOGGER.error("An audit row that waited for PostgreSQL cannot be written: %s: %r", error, packed)
        return False
    return True


def _write(connection: Connection, change: AdminChange) -> None:
    values = {**vars(change), "parameters": Jsonb(change.parameters)}
    values["answer"] = None if change.answer is None else Jsonb(change.answer)
    connection.execute(QUERIES["write"], values)
