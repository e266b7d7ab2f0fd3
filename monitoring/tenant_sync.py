"""Keeps in Redis what PostgreSQL says of plans and tenants.

1. At the start, and whenever one of the two servers was away, everything is published.
2. Then each change of a row is, as soon as PostgreSQL tells of it, and within a second where it cannot tell.
3. Each second Redis is asked whether it still knows; one that was emptied gets everything again.
4. Every half minute everything is published anyway, against whatever nobody has thought of.
5. Two monitors may do this at once: of two readings the older gives way (see ``limit_publisher``).
"""

from __future__ import annotations

import logging
import threading
import time

from ..broker.fair_broker import FairBroker
from ..middleware.database import Database
from ..middleware.limit_publisher import LimitPublisher
from ..middleware.plans import overruled_settings, stored_plans
from .tenant_watch import TenantWatch

LOGGER = logging.getLogger(__name__)

#: Seconds between two looks when nothing is told.
LOOK_SECONDS = 0.5
#: Seconds after which everything is published although nothing has changed.
REFRESH_SECONDS = 30.0
#: Seconds between attempts while something is away.
REPAIR_SECONDS = 0.5


class TenantSync:
    """Publishes the limits of one database to one namespace.

    Parameters:
      broker: whose scripts read the limits.
      database: where plans and tenants are.
    """

    def __init__(self, broker: FairBroker, database: Database) -> None:
        self._table = broker.limits
        self._database = database
        self._publisher = LimitPublisher(database, broker)
        self._away = False
        self._told = False

    def run(self, stop: threading.Event) -> None:
        """Publish until ``stop`` is set; whatever is away is waited for."""
        while not stop.is_set():
            try:
                self._follow(stop)
            except Exception as error:  # noqa: BLE001 (whatever it is, limits must be true again once it is mended)
                self._wait_for_repair(error, stop)

    def _follow(self, stop: threading.Event) -> None:
        with self._database.direct() as connection:
            watch = TenantWatch(connection)
            refreshed = float("-inf")
            while not stop.is_set():
                changed = watch.look()
                if changed is None or self._table.is_empty() or time.monotonic() - refreshed > REFRESH_SECONDS:
                    watch.know(self._publisher.publish_all())
                    refreshed = time.monotonic()
                elif changed:
                    self._publisher.publish(changed)
                self._healthy()
                watch.wait(LOOK_SECONDS)

    def _healthy(self) -> None:
        if self._away:
            LOGGER.info("Plans and tenants reach the fleet again")
        self._away = False
        if not self._told:
            with self._database.connection() as connection:
                for sentence in overruled_settings(stored_plans(connection)):
                    LOGGER.warning("%s; change it there with UPDATE plans ..., or take it out of the file", sentence)
        self._told = True

    def _wait_for_repair(self, error: Exception, stop: threading.Event) -> None:
        """Tell of an outage once, when it begins."""
        if not self._away:
            LOGGER.warning("Changes of plans and tenants cannot reach the fleet and are tried again: %s", error)
            LOGGER.debug("What stopped them", exc_info=error)
        self._away = True
        stop.wait(REPAIR_SECONDS)
