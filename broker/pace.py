"""How fast a process works."""

from __future__ import annotations

import time

#: Seconds of work that a process may hold beyond its threads. Without any, ten threads drained 1,400 instead of 3,100
#: no-op jobs a second, for 153 instead of 70 microseconds a job in Redis (one process, medians, both cores busy).
LOOK_AHEAD = 0.02
#: Fewest and most jobs of look-ahead. A pace that asks for fewer is none at which a thread would wait for its
#: next job, while another tenant's would have to wait for the one that is held.
LOOK_AHEAD_LEAST = 5
LOOK_AHEAD_MOST = 200


class Pace:
    """Counts what a process finishes."""

    def __init__(self) -> None:
        self.finished = 0
        self._per_second = 0.0
        self._mark = (0, time.monotonic())

    def look_ahead(self) -> int:
        """Jobs that are finished within LOOK_AHEAD seconds, by the pace of late."""
        count, since = self._mark
        now = time.monotonic()
        if now - since >= LOOK_AHEAD:
            self._per_second = (self.finished - count) / (now - since)
            self._mark = (self.finished, now)
        ahead = int(self._per_second * LOOK_AHEAD)
        return min(LOOK_AHEAD_MOST, ahead) if ahead >= LOOK_AHEAD_LEAST else 0
