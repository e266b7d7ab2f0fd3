"""The fleet behind the admin server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ...broker.fair_broker import FairBroker
from ...middleware.database import Database
from ..alert_receivers import AlertReceivers
from ..exporter import Exporter


@dataclass(frozen=True)
class Monitored:
    """What the server shows and changes.

    Parameters:
      broker: whose jobs they are, with PostgreSQL as its archive.
      database: where the job log is.
      exporter: of the same fleet.
      lives: whether the monitor's own loop still turns.
      receivers: who is told of what Alertmanager hands in; nobody if not given.
    """

    broker: FairBroker
    database: Database
    exporter: Exporter
    lives: Callable[[], bool]
    receivers: AlertReceivers = field(default_factory=AlertReceivers)
