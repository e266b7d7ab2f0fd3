"""Writes batches of events into the job log."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import psycopg

from ..broker.journal import Entry
from ..middleware import effect_records
from ..middleware.database import Connection
from ..middleware.queries import Queries
from .attempt_row import AttemptRow
from .event_detail import EventDetail
from .log_row import LogRow
from .projection import Projection
from .timeline import Timeline

LOGGER = logging.getLogger(__name__)
QUERIES = Queries(__file__)

#: Classes of SQLSTATE that blame the data: data exception, constraint, syntax of a value, program limit.
DATA_AT_FAULT = ("22", "23", "54")
#: Columns of a loaded row that belong to the job's last run.
RUN_COLUMNS = ("run", "attempt", "outcome", "run_worker", "run_started_ms")


class PositionTaken(Exception):
    """Another recorder has moved the position."""


class LogWriter:
    """Stores entries of the journal, each exactly once.

    Parameters:
      connection: in autocommit; it holds the recorder's lock.
      namespace: whose journal this is.
    """

    def __init__(self, connection: Connection, namespace: str) -> None:
        self._connection = connection
        self._namespace = namespace
        connection.execute(QUERIES["begin_position"], {"namespace": namespace})
        row = connection.execute(QUERIES["read_position"], {"namespace": namespace}).fetchone()
        #: The last entry that is stored.
        self.position: str = row["position"] if row else "0-0"
        #: Events and rows that the log could not take since the namespace began.
        self.left_out: int = row["left_out"] if row else 0
        self._left_out_now = 0

    def write(self, entries: Sequence[Entry]) -> None:
        """Store entries, and the position of the last one in the same transaction.

        Raises:
          PositionTaken: another recorder stored them.
          psycopg.Error: the server is away or the tables are not there.
        """
        try:
            self._store(entries, self._write_all)
        except (psycopg.Error, ValueError) as error:
            if not _blames_data(error):
                raise
            LOGGER.warning("A batch has data that PostgreSQL refuses; its rows are stored one by one: %s", error)
            self._store(entries, self._write_each)
        self.position = entries[-1].position
        self.left_out += self._left_out_now

    def _store(self, entries: Sequence[Entry], write: Callable[[Projection], None]) -> None:
        with self._connection.transaction():
            events = _readable(entries)
            # An entry of which nothing can be read held an event at least.
            self._left_out_now = sum(max(1, entry.size) for entry in entries) - len(events)
            projection = self._load({event.job_id for event in events})
            for event in events:
                projection.apply(event)
            write(projection)
            self._move(entries[-1].position)

    def _load(self, job_ids: set[str]) -> Projection:
        known: dict[str, LogRow] = {}
        last: dict[str, AttemptRow] = {}
        for row in self._connection.execute(QUERIES["load_rows"], {"job_ids": list(job_ids)}):
            run, attempt, outcome, worker, started_ms = (row.pop(column) for column in RUN_COLUMNS)
            job_id = row["job_id"]
            known[job_id] = LogRow(**row)
            if run is not None:
                last[job_id] = AttemptRow(
                    job_id=job_id, run=run, attempt=attempt, outcome=outcome, worker=worker, started_ms=started_ms
                )
        return Projection(known, Timeline(last))

    def _write_all(self, projection: Projection) -> None:
        self._send("write_rows", map(_columns, projection.changed.values()))
        self._send("write_runs", map(_columns, projection.timeline.changed.values()))
        self._send("write_dead", map(_columns, projection.dead.values()))
        self._send("settle_dead", _marks(projection))
        self._write_effects(projection)

    def _write_each(self, projection: Projection) -> None:
        """Each row by itself; one that is refused is stored without what the application put into it."""
        for row in projection.changed.values():
            self._send_one("write_rows", _columns(row), {"payload": None, "result": None})
        for run in projection.timeline.changed.values():
            self._send_one("write_runs", _columns(run), {"error": "[not storable]", "traceback": None})
        for letter in projection.dead.values():
            self._send_one("write_dead", _columns(letter), {"payload": None, "traceback": None})
        for mark in _marks(projection):
            self._send_one("settle_dead", mark, {})
        self._write_effects(projection)

    def _write_effects(self, projection: Projection) -> None:
        self._left_out_now += effect_records.write(self._connection, projection.effects)

    def _send_one(self, statement: str, row: dict[str, Any], plain: dict[str, Any]) -> None:
        for number, attempt in enumerate((row, {**row, **plain})):
            try:
                with self._connection.transaction():
                    self._send(statement, [attempt])
                return
            except (psycopg.Error, ValueError) as error:
                if not _blames_data(error):
                    raise
                LOGGER.warning("The row of job %s is refused by %s: %s", row["job_id"], statement, error)
                # The second time it is the same row.
                self._left_out_now += number == 0

    def _send(self, statement: str, rows: Iterable[dict[str, Any]]) -> None:
        text = json.dumps(list(rows), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        if text != "[]":
            self._connection.execute(QUERIES[statement], {"rows": text})

    def _move(self, after: str) -> None:
        moved = self._connection.execute(
            QUERIES["move_position"],
            {
                "namespace": self._namespace,
                "before": self.position,
                "after": after,
                "left_out": self._left_out_now,
            },
        )
        if moved.rowcount != 1:
            raise PositionTaken(f"another recorder has moved on from {self.position}")


def _columns(row: Any) -> dict[str, Any]:
    """A row by column; what ``dataclasses.asdict`` copies of payloads is a quarter of the recorder's time."""
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


def _readable(entries: Sequence[Entry]) -> list[EventDetail]:
    """All events in order; one that cannot be read at all is named in the process's log and left out."""
    events = []
    for entry in entries:
        for event in entry.events:
            try:
                events.append(EventDetail(event))
            except Exception:
                LOGGER.exception("An event in entry %s of the journal cannot be read and is left out", entry.position)
    return events


def _marks(projection: Projection) -> list[dict[str, Any]]:
    return [
        {"job_id": job_id, "status": status, "at_ms": at_ms} for job_id, (status, at_ms) in projection.settled.items()
    ]


def _blames_data(error: Exception) -> bool:
    if isinstance(error, psycopg.Error) and not isinstance(error, psycopg.DataError):
        return (error.sqlstate or "").startswith(DATA_AT_FAULT)
    return True
