"""The journal as the recorder reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .commands import Commands
from .connection import reachable
from .keys import Keys
from .scripts import Scripts, pack, unpack
from .settings import settings

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

        A wait must be shorter than a command may take (two seconds).
        """
        with reachable(self._client):
            answer = self._client.xread({self._keys.journal: after}, count=count, block=block_ms or None)
        return [Entry(position.decode(), _events(fields)) for position, fields in (answer[0][1] if answer else [])]

    def recorded(self, position: str, events: int, dead: Sequence[tuple[str, str]]) -> None:
        """Everything up to `position` is stored: trim it.

        Parameters:
          position: of the last stored entry.
          events: how many events the entries up to it held.
          dead: queue and job id of the dead letters among them, which may leave Redis from now on.
        """
        flat = [part for pair in dead for part in pair]
        with reachable(self._client):
            self._scripts.call("recorded", pack([position, events, settings().dead_letters_max, flat]))

    def lag(self) -> tuple[int, float]:
        """Events that are not recorded yet, and the age in seconds of the oldest entry."""
        with reachable(self._client):
            events = int(self._client.hget(f"{self._keys.prefix}:fleet", "events") or 0)
            oldest = self._client.xrange(self._keys.journal, count=1)
            seconds, micros = self._client.time()
        if not oldest:
            return events, 0.0
        return events, max(0.0, seconds + micros / 1e6 - int(oldest[0][0].split(b"-")[0]) / 1000)


def _events(fields: dict[bytes, bytes]) -> list[Event]:
    found = []
    for kind, at_ms, job_id, tenant, queue, actor, attempt, worker, detail in unpack(fields[b"e"]):
        found.append(Event(kind, int(at_ms), job_id, tenant, queue, actor, attempt, worker, detail or {}))
    return found
