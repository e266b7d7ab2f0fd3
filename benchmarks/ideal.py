"""The least that tenants must wait: what a dispatcher would reach that knows everything and costs nothing.

Whenever a thread is free it starts what the quiet tenants wait for, in the order in which they sent; only when there is
nothing, and at once then, it starts a noisy tenant's job. What runs is never interrupted. So what remains is queueing at
that load and the rest of the noisy jobs that run: no fair order can have less without leaving threads idle.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence


class Ideal:
    """A number of threads, and noisy jobs for them.

    Parameters:
      threads: that run jobs.
      noise: moment and seconds of each noisy job, in order.
      at_once: noisy jobs that may run at once, 0 for any number.
    """

    def __init__(self, threads: int, noise: Sequence[tuple[float, float]] = (), at_once: int = 0) -> None:
        self._noise = noise
        self._at_once = at_once or threads
        self._given = self._noisy = 0
        #: When each thread is free, and whether a noisy job keeps it until then.
        self._free: list[tuple[float, bool]] = [(0.0, False)] * threads

    def waits(self, moments: Sequence[float], seconds: float) -> list[float]:
        """How long each job waits that is sent at its moment and takes some seconds."""
        found: list[float] = []
        while len(found) < len(moments):
            now, noisy = heapq.heappop(self._free)
            self._noisy -= noisy
            due = moments[len(found)]
            if due <= now:
                found.append(now - due)
                heapq.heappush(self._free, (now + seconds, False))
            elif self._next_noise() <= now:
                self._start_noise(now)
            else:
                heapq.heappush(self._free, (min(due, max(now, self._next_noise())), False))
        return found

    def _next_noise(self) -> float:
        if self._noisy >= self._at_once or self._given >= len(self._noise):
            return math.inf
        return self._noise[self._given][0]

    def _start_noise(self, now: float) -> None:
        heapq.heappush(self._free, (now + self._noise[self._given][1], True))
        self._given += 1
        self._noisy += 1
