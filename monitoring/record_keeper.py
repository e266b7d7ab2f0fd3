"""Keeps the monitor's own records: writes what had to wait for PostgreSQL, forgets what is old."""

from __future__ import annotations

import logging
import threading
import time

from ..broker.fair_broker import FairBroker
from ..broker.settings import settings
from ..middleware.database import Database
from .admin_audit import AdminAudit
from .alert_log import AlertLog

LOGGER = logging.getLogger(__name__)

#: Seconds between two looks at what waits.
LOOK_SECONDS = 5.0
#: Seconds between two times of forgetting.
FORGET_SECONDS = 3_600.0


class RecordKeeper:
    """Of audit rows and alerts.

    Parameters:
      broker: in whose Redis audit rows wait.
      database: where all of it belongs.
    """

    def __init__(self, broker: FairBroker, database: Database) -> None:
        self._audit = AdminAudit(database, broker)
        self._alerts = AlertLog(database)
        self._forgot = float("-inf")
        self._away = False

    def run(self, stop: threading.Event) -> None:
        """Keep them until ``stop`` is set; whatever is away is waited for."""
        while not stop.is_set():
            try:
                self.look()
                self._away = False
            except Exception as error:  # noqa: BLE001 (whatever it is, the next look must come)
                self._tell(error)
            stop.wait(LOOK_SECONDS)

    def look(self) -> None:
        """One look. Raises when Redis or PostgreSQL is away."""
        if written := self._audit.write_kept():
            LOGGER.info("%d audit rows that waited for PostgreSQL are written", written)
        if time.monotonic() - self._forgot > FORGET_SECONDS:
            self._forget()
            self._forgot = time.monotonic()

    def _forget(self) -> None:
        kept = settings()
        gone = (self._audit.forget(kept.admin_audit_days), self._alerts.forget(kept.alert_days))
        if any(gone):
            LOGGER.info("%d audit rows and %d alerts are old and forgotten", *gone)

    def _tell(self, error: Exception) -> None:
        """Tell of an outage once, when it begins."""
        if not self._away:
            LOGGER.warning("Audit rows and alerts cannot be looked after and are tried again: %s", error)
        self._away = True
