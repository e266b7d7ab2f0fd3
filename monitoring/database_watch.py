"""Looks at PostgreSQL every few seconds, so that no scrape waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from ..broker.fair_broker import FairBroker
from ..middleware.database import Database
from ..middleware.queries import Queries

QUERIES = Queries(__file__)

#: Seconds between two looks.
LOOK_SECONDS = 5.0


class DatabaseWatch:
    """What was last known of the database.

    Parameters:
      broker: whose queues there are.
      database: where the job log is.
    """

    def __init__(self, broker: FairBroker, database: Database) -> None:
        self._broker = broker
        self._database = database
        #: Whether it answered the last time.
        self.up = False
        self._oldest: Mapping[str, float] = {}

    def run(self, stop: threading.Event) -> None:
        """Look until ``stop`` is set."""
        while not stop.is_set():
            self.look()
            stop.wait(LOOK_SECONDS)

    def look(self) -> None:
        """One look."""
        try:
            queues = [stats.queue for stats in self._broker.stats()]
        except Exception:  # noqa: BLE001 (Redis is away, which says nothing about PostgreSQL)
            queues = []
        try:
            with self._database.connection() as connection:
                rows = connection.execute(QUERIES["oldest_deaths"], {"queues": queues}).fetchall()
        except Exception:  # noqa: BLE001 (away, or without our tables: it is of no use to the fleet either way)
            self.up = False
            return
        self.up = True
        self._oldest = {row["queue"]: row["failed_at"].timestamp() for row in rows}

    def oldest_deaths(self) -> dict[str, float]:
        """Queue -> how many seconds ago the oldest dead letter died that PostgreSQL holds."""
        now = time.time()
        return {queue: max(0.0, now - moment) for queue, moment in self._oldest.items()}
