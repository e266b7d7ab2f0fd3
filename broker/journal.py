"""The journal as the recorder reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgpack
from dramatiq.logging import get_logger

from .commands import Commands
from .connection import reachable
from .keys import Keys
from .scripts import Scripts, pack, unpack
from .settings import settings

LOGGER = get_logger(__name__)

#: The position before the first entry.
BEGINNING = "0-0"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a job, written by the script that made it happen."""

    kind: str
    #: Redis time, ms since the epoch.
    at_ms: int
    job_id: str
    tenant_id: str
    queue: str
    actor: str
    #: Which attempt, from 1; 0 where no run is meant.
    attempt: int
    worker: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one run of a script wrote."""

    position: str
    events: list[Event]
    #: Events of it that cannot be read; they count in the journal like the others.
    skipped: int = 0

    @property
    def size(self) -> int:
        """How many events the journal counts for it."""
        return len(self.events) + self.skipped


class Journal:
    """The journal of one namespace."""

    def __init__(self, client: Commands, keys: Keys, scripts: Scripts) -> None:
        self._client = client
        self._keys = keys
        self._scripts = scripts

    def announce(self) -> int:
        """Say that a recorder exists: from now on nothing leaves the journal before it is recorded.

        Returns:
          The number of events in the journal.
        """
        with reachable(self._client):
            return int(self._scripts.call("announce"))

    def read(self, after: str = BEGINNING, count: int = 100, block_ms: int = 0) -> list[Entry]:
        """Up to `count` entries behind a position; waits `block_ms` for one when there is none.

        What cannot be read is left out, with an error in the log: it must not hold up what comes behind it. A wait must be shorter than a command may take (two seconds).
        """
        with reachable(self._client):
            answer = self._client.xread({self._keys.journal: after}, count=count, block=block_ms or None)
        return [
            _entry(position.decode(), fields.get(b"e", b"")) for position, fields in (answer[0][1] if answer else [])
        ]

    def recorded(self, position: str, events: int, dead: Sequence[tuple[str, str]], left_out: int = 0) -> None:
        """Everything up to `position` is stored: trim it.

        Parameters:
          position: of the last stored entry.
          events: how many events the entries up to it held.
          dead: queue and job id of the dead letters among them, which may leave Redis from now on.
          left_out: how many events and rows the log could not take since it began.
        """
        flat = [part for pair in dead for part in pair]
        with reachable(self._client):
            self._scripts.call("recorded", pack([position, events, settings().dead_letters_max, flat, left_out]))

    def lag(self) -> tuple[int, float]:
        """Events that are not recorded yet, and the age in seconds of the oldest entry."""
        with reachable(self._client):
            events = max(0, int(self._client.hget(self._keys.fleet, "events") or 0))
            oldest = self._client.xrange(self._keys.journal, count=1)
            seconds, micros = self._client.time()
        if not oldest:
            return events, 0.0
        return events, max(0.0, seconds + micros / 1e6 - int(oldest[0][0].split(b"-")[0]) / 1000)


def _entry(position: str, packed: bytes) -> Entry:
    try:
        raw = unpack(packed)
        written = len(raw)
    except Exception as error:  # noqa: BLE001 (whatever somebody wrote there, the entries behind it can be read)
        LOGGER.error("entry %s of the journal cannot be read and is left out: %s", position, error)
        return Entry(position, [], _announced(packed))
    events = []
    for fields in raw:
        try:
            events.append(_event(*fields))
        except (TypeError, ValueError) as error:
            LOGGER.error("an event in entry %s of the journal cannot be read and is left out: %s", position, error)
    return Entry(position, events, written - len(events))


def _event(
    kind: str,
    at_ms: int,
    job_id: str,
    tenant: str,
    queue: str,
    actor: str,
    attempt: int,
    worker: str,
    detail: dict[str, Any],
    *_: object,
) -> Event:
    """One event; what a newer version may have written behind its fields is not ours to read."""
    texts = (kind, job_id, tenant, queue, actor, worker)
    if not all(isinstance(text, str) for text in texts) or not isinstance(attempt, int):
        raise TypeError(f"a text or number is of another type: {(*texts, attempt)!r:.200}")
    # An empty table of Lua's is an empty list.
    return Event(kind, int(at_ms), job_id, tenant, queue, actor, attempt, worker, dict(detail or {}))


def _announced(packed: bytes) -> int:
    """How many events the beginning of an entry promises that breaks off or goes wrong behind it."""
    unpacker = msgpack.Unpacker()
    unpacker.feed(packed)
    try:
        return int(unpacker.read_array_header())
    except (ValueError, msgpack.OutOfData):
        return 0
