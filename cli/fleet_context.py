"""What a command works with: the broker, and the database behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches

from ..broker import FairBroker
from ..broker.connection import reachable
from ..broker.errors import ConfigurationError, Unavailable
from ..broker.settings import settings
from ..broker.stats import QueueStats
from ..middleware.archive import PostgresArchive
from ..middleware.database import Database, database
from ..middleware.job_history import JobHistory
from .tables import note

#: Seconds that the job log may be behind before a person is told.
LAG_SECONDS = 5.0


class FleetContext:
    """One fleet, opened for one command. Nothing is connected before it is used.

    Parameters:
      broker: the fleet's broker.
      stored: its database, or None when none is named.
    """

    def __init__(self, broker: FairBroker, stored: Database | None) -> None:
        self.broker = broker
        self._stored = stored

    @property
    def history(self) -> JobHistory:
        """The job log.

        Raises:
          ConfigurationError: no database is named.
        """
        return JobHistory(self._stored or database())

    def stats(self) -> list[QueueStats]:
        """Counts of the queues of the table, in its order, then of all others."""
        counted = {stats.queue: stats for stats in self.broker.stats()}
        missing = [name for name in settings().queues if name not in counted]
        counted |= {stats.queue: stats for stats in (self.broker.stats(missing) if missing else ())}
        names = [*settings().queues, *sorted(set(counted) - set(settings().queues))]
        return [counted[name] for name in names]

    def check_queue(self, name: str | None) -> None:
        """Refuse the name of a queue that is neither in the table nor was ever used.

        Raises:
          ConfigurationError: with the names that exist.
        """
        if name is not None and name not in settings().queues:
            refuse_unknown_queue(name, [stats.queue for stats in self.stats()])

    def without_archive_if_away(self) -> None:
        """Go on with what Redis knows when the database is away, and say so.

        Raises:
          dramatiq.errors.ConnectionClosed: Redis is away too.
        """
        with reachable(self.broker.client):
            self.broker.client.ping()
        if self._stored is None:
            self.broker.archive = None
            return
        try:
            with self._stored.connection():
                pass
        except Unavailable as error:
            self.broker.archive = None
            note(f"jobfleet: {error}; only what Redis still holds is seen")

    def say_if_log_is_behind(self) -> None:
        """Tell the person when the log does not have the newest events yet."""
        events, seconds = self.broker.journal.lag()
        if events and seconds > LAG_SECONDS:
            note(f"jobfleet: the job log is {seconds:.0f} s ({events} events) behind; does `jobfleet monitor` run?")


@contextmanager
def fleet_context() -> Iterator[FleetContext]:
    """The configured fleet.

    Raises:
      ConfigurationError: no Redis server is named, or an address cannot be read.
    """
    broker = FairBroker(middleware=[])
    stored = database() if settings().database_url else None
    if stored is not None:
        broker.archive = PostgresArchive(stored)
    try:
        yield FleetContext(broker, stored)
    finally:
        broker.close()
        if stored is not None:
            stored.close()


def refuse_unknown_queue(name: str, known: Sequence[str] | Mapping[str, object]) -> None:
    """Do nothing for a known queue.

    Raises:
      ConfigurationError: it is not known; with what may have been meant.
    """
    if name in known:
        return
    close = get_close_matches(name, list(known), n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise ConfigurationError(f"unknown queue {name}: {hint}There are {', '.join(known)}")
