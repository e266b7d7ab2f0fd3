"""An application whose jobs take a known time and stamp when they start."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

#: Jobs of one bulk send of a flood.
PORTION = 2000


class VisitingApplication:
    """Sends jobs of a known length for many tenants, each at its moment.

    Parameters:
      send_noop: sends a no-op job.
      send: sends one job: its token, its milliseconds and its tenant.
      send_many: sends many jobs of one tenant the fastest documented way.
    """

    def __init__(
        self,
        send_noop: Callable[[], object],
        send: Callable[[str, int, str], object],
        send_many: Callable[[Sequence[tuple[str, int, str]]], object],
    ) -> None:
        self._send_noop = send_noop
        self._send = send
        self._send_many = send_many

    def singles(self, count: int) -> None:
        """Send no-op jobs, one after the other."""
        for _ in range(count):
            self._send_noop()

    def visits(self, begin_ns: int, sends: list[tuple[float, str, list[int]]]) -> list[str]:
        """Send each job at its moment; returns the tokens, which tell when."""
        tokens = []
        for offset, tenant, (ms,) in sends:
            _sleep_until(begin_ns, offset)
            tokens.append(_token(tenant, ms))
            self._send(tokens[-1], ms, tenant)
        return tokens

    def bursts(self, begin_ns: int, sends: list[tuple[float, str, list[int]]]) -> None:
        """Send many at once, at each moment."""
        for offset, tenant, lengths in sends:
            _sleep_until(begin_ns, offset)
            self._send_many([(_token(tenant, ms), ms, tenant) for ms in lengths])

    def flood(self, tenant: str, count: int, ms: int) -> None:
        """Send very many at once."""
        for start in range(0, count, PORTION):
            self._send_many([(_token(tenant, ms), ms, tenant) for _ in range(min(PORTION, count - start))])


def _token(tenant: str, ms: int) -> str:
    """What ``Run`` reads: one clock says when it was sent and when it started."""
    return f"{tenant}:{ms}:{time.time_ns()}"


def _sleep_until(begin_ns: int, offset: float) -> None:
    time.sleep(max(0.0, (begin_ns - time.time_ns()) / 1e9 + offset))
