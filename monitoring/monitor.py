"""The monitor process: what the fleet needs although it is no job.

1. The recorder works in a thread of its own and writes the job log.
2. Each second the broker's upkeep runs: due jobs are promoted, lost workers' jobs taken back, sleeping workers woken,
   so that queues without any worker move too.
3. What PostgreSQL says of plans and tenants is brought to Redis, in a thread of its own, as soon as it changes.
4. Two monitors may run: both do upkeep and publish limits, one of them records, the other stands by.
5. When ``stop`` is set both end after what they have begun.
"""

from __future__ import annotations

import logging
import threading
import time

from ..broker.fair_broker import FairBroker
from ..middleware.database import Database
from .recorder import Recorder
from .tenant_sync import TenantSync

LOGGER = logging.getLogger(__name__)

#: Seconds between two rounds of upkeep.
UPKEEP_SECONDS = 1.0
#: Seconds without a round after which the monitor counts as hung; one with a server that hangs takes up to 20.
SILENT_SECONDS = 60.0
#: Seconds that each thread gets to end; a server that hangs must not hold the process for ever.
STOP_SECONDS = 10.0


class Monitor:
    """Recorder, limits and upkeep of one namespace.

    Parameters:
      broker: the fleet's broker.
      database: where the job log, plans and tenants are.
    """

    def __init__(self, broker: FairBroker, database: Database) -> None:
        self._broker = broker
        self.recorder = Recorder(broker, database)
        self.tenants = TenantSync(broker, database)
        self._away = False
        self._turned = time.monotonic()

    @property
    def lives(self) -> bool:
        """Whether upkeep was tried lately; says nothing about whether it was possible."""
        return time.monotonic() - self._turned < SILENT_SECONDS

    def run(self, stop: threading.Event) -> None:
        """Watch until ``stop`` is set."""
        threads = [
            threading.Thread(target=run, args=(stop,), name=f"jobfleet-{name}", daemon=True)
            for name, run in (("recorder", self.recorder.run), ("tenants", self.tenants.run))
        ]
        for thread in threads:
            thread.start()
        while not stop.is_set():
            self._turned = time.monotonic()
            self._keep_up()
            stop.wait(UPKEEP_SECONDS)
        for thread in threads:
            thread.join(timeout=STOP_SECONDS)

    def _keep_up(self) -> None:
        """One round of upkeep; an outage is told once, when it begins and when it ends."""
        try:
            self._broker.upkeep()
        except Exception as error:  # noqa: BLE001 (whatever it is, the next round must come)
            if not self._away:
                LOGGER.warning("Upkeep is not possible and will be tried each second: %s", error)
            self._away = True
            return
        if self._away:
            LOGGER.info("Upkeep goes on")
        self._away = False
