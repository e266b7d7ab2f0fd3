"""Proves every few minutes that no job is unaccounted for."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping

from ..broker.fair_broker import FairBroker

LOGGER = logging.getLogger(__name__)

#: Seconds between the end of an audit and the next one.
AUDIT_SECONDS = 300.0
#: Seconds of pause for each second of looking: with a million jobs an audit takes minutes, in which scrapes, the
#: recorder and the fleet want the same Redis.
REST = 1.0


class AuditWatch:
    """Audits the fleet's keys again and again; each audit walks them in slices and holds nobody up.

    Parameters:
      broker: whose keys they are.
    """

    def __init__(self, broker: FairBroker) -> None:
        self._broker = broker
        #: Findings of the last audit by kind; empty when all was well or before the first one.
        self.unaccounted: Mapping[str, int] = {}
        #: When the last audit was finished, seconds since the epoch; before the first one, when we began.
        self.finished = time.time()

    def run(self, stop: threading.Event) -> None:
        """Audit until ``stop`` is set."""
        while not stop.is_set():
            self.look()
            stop.wait(AUDIT_SECONDS)

    def look(self) -> None:
        """One audit; what it finds is told. One that cannot be made leaves the last one's result."""
        try:
            report = self._broker.audit(rest=REST)
        except Exception as error:  # noqa: BLE001 (whatever it is, the next audit must come)
            LOGGER.warning("The audit could not be made and will be in %.0f s: %s", AUDIT_SECONDS, error)
            return
        self.unaccounted = Counter(finding.kind for finding in report.findings)
        self.finished = time.time()
        if not report.clean:
            LOGGER.error("%s", report)
