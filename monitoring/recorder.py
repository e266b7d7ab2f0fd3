"""The recorder: the journal in Redis becomes the job log in PostgreSQL.

1. Of all recorders of a namespace one leads: it holds a session's advisory lock, on a connection past any pooler.
   The others ask for the lock every second, so that one of them goes on when the leader is gone.
2. The leader reads the journal, folds a batch of events into rows and stores them together with its position in one
   transaction, so that each event is stored exactly once, whenever it may die.
3. Then Redis is told: the journal is trimmed up to there, and dead letters that are stored may leave Redis.
   A leader that died between the two is made good by the next one: it begins with what the journal still has, and
   only tells Redis of what is stored already.
4. When PostgreSQL or Redis is away the journal waits and jobs go on; the recorder tries until they are back.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence

from ..broker.fair_broker import FairBroker
from ..broker.journal import Entry
from ..middleware.database import Connection, Database
from . import notices
from .log_writer import QUERIES, LogWriter

LOGGER = logging.getLogger(__name__)

#: Entries that are read at once, and events that are stored in one transaction (a little more if an entry is large).
READ_ENTRIES = 500
BATCH_EVENTS = 4_000
#: Milliseconds that a read waits for the next entry.
BLOCK_MS = 1_000
#: Seconds between two batches when there is little to do: many small events share a transaction.
GATHER_SECONDS = 0.05
#: Entries below which there is little to do.
LITTLE = 50
#: Seconds after which a recorder that stands by asks for the lock again.
STAND_BY_SECONDS = 1.0
#: Seconds between attempts while something is away, the first and the longest.
BACKOFF_SECONDS = (0.1, 2.0)


class Recorder:
    """Keeps the job log.

    Parameters:
      broker: whose journal is recorded.
      database: where the log is.
    """

    def __init__(self, broker: FairBroker, database: Database) -> None:
        self._broker = broker
        self._database = database
        self._namespace = broker.keys.prefix.strip("{}")
        self._failures = 0
        #: Whether this recorder is the one that writes.
        self.leading = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Record until ``stop`` is set; whatever is away is waited for."""
        while not stop.is_set():
            try:
                self._lead(stop)
            except Exception as error:  # noqa: BLE001 (whatever it is, the log must go on once it is mended)
                self._wait_for_repair(error, stop)
            finally:
                self.leading.clear()

    def lag(self) -> tuple[int, float]:
        """How many events are not recorded yet, and the age in seconds of the oldest of them."""
        return self._broker.journal.lag()

    def _lead(self, stop: threading.Event) -> None:
        with self._database.direct() as connection:
            connection.execute(QUERIES["notice_our_death"])
            connection.execute(QUERIES["commit_for_good"])
            while not self._locked(connection):
                self._healthy()
                if stop.wait(STAND_BY_SECONDS):
                    return
            writer = LogWriter(connection, self._namespace)
            self._broker.journal.announce()
            self.leading.set()
            self._follow(writer, stop)

    def _locked(self, connection: Connection) -> bool:
        row = connection.execute(QUERIES["try_lock"], {"namespace": self._namespace}).fetchone()
        return bool(row and row["locked"])

    def _follow(self, writer: LogWriter, stop: threading.Event) -> None:
        position = "0-0"
        while not stop.is_set():
            entries = self._broker.journal.read(position, READ_ENTRIES, BLOCK_MS)
            for batch in _batches(entries):
                self._record(writer, batch)
                position = batch[-1].position
            self._healthy()
            if 0 < len(entries) < LITTLE:
                stop.wait(GATHER_SECONDS)

    def _record(self, writer: LogWriter, batch: Sequence[Entry]) -> None:
        """Store what is not stored, then tell Redis of all of it."""
        if fresh := [entry for entry in batch if _moment(entry.position) > _moment(writer.position)]:
            writer.write(fresh)
            notices.tell(fresh)
        dead = [(event.queue, event.job_id) for entry in batch for event in entry.events if event.kind == "failed"]
        self._broker.journal.recorded(batch[-1].position, sum(entry.size for entry in batch), dead, writer.left_out)

    def _healthy(self) -> None:
        if self._failures:
            LOGGER.info("The recorder goes on after %d failed tries", self._failures)
        self._failures = 0

    def _wait_for_repair(self, error: Exception, stop: threading.Event) -> None:
        """Tell of an outage once, and pause longer with each failure."""
        if not self._failures:
            LOGGER.warning("The recorder cannot record and keeps trying, the journal waits: %s", error)
            LOGGER.debug("What stopped the recorder", exc_info=error)
        first, longest = BACKOFF_SECONDS
        stop.wait(min(longest, first * 2 ** min(self._failures, 10)))
        self._failures += 1


def _batches(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Entries in order, cut where a transaction has enough events."""
    batch: list[Entry] = []
    events = 0
    for entry in entries:
        batch.append(entry)
        events += entry.size
        if events >= BATCH_EVENTS:
            yield batch
            batch, events = [], 0
    if batch:
        yield batch


def _moment(position: str) -> tuple[int, int]:
    """A position as something that can be compared."""
    milliseconds, _, number = position.partition("-")
    return int(milliseconds), int(number or 0)
