"""The monitor with all that looks at the fleet beside it: exporter, audits, HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ..broker.fair_broker import FairBroker
from ..broker.settings import settings
from ..middleware.archive import PostgresArchive
from ..middleware.database import Database
from .admin.monitored import Monitored
from .admin.server import AdminServer
from .admin.tokens import Tokens
from .alert_receivers import AlertReceivers
from .exporter import Exporter
from .monitor import Monitor
from .record_keeper import RecordKeeper


class WatchPost:
    """A whole monitor process; its HTTP is answered while the block runs, the rest while ``run`` does.

    Parameters:
      broker: the fleet's broker.
      database: where the job log is.
      host: the address at which HTTP is answered.
      port: its port; the configured one if None.

    Raises:
      ConfigurationError: it cannot or must not listen there, or whom to tell of alerts cannot be understood.
    """

    def __init__(self, broker: FairBroker, database: Database, host: str, port: int | None) -> None:
        broker.archive = PostgresArchive(database)
        self.monitor = Monitor(broker, database)
        self._exporter = Exporter(broker, database)
        self._stop = threading.Event()
        self._keeper = RecordKeeper(broker, database)
        receivers = AlertReceivers.configured()
        fleet = Monitored(broker, database, self._exporter, lambda: self.monitor.lives, receivers)
        chosen = settings().monitor_port if port is None else port
        self._server = AdminServer(fleet, Tokens.configured(), host, chosen)

    @property
    def url(self) -> str:
        """Where HTTP is answered."""
        return self._server.url

    def __enter__(self) -> Self:
        self._start("audits", self._exporter.audits.run)
        self._start("database", self._exporter.stored.run)
        self._start("records", self._keeper.run)
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)
        self._stop.set()

    def run(self, stop: threading.Event) -> None:
        """Watch until ``stop`` is set."""
        self.monitor.run(stop)

    def _start(self, name: str, look: Callable[[threading.Event], None]) -> None:
        # A daemon: an audit of millions of jobs must not hold the process.
        threading.Thread(target=look, args=(self._stop,), name=f"jobfleet-{name}", daemon=True).start()
