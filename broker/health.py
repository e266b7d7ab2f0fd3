"""Jobs that this process can no longer vouch for, and what follows from them.

1. A run that goes on for longer than its limit and STUCK_AFTER (Dramatiq's interrupt does not reach
   code that waits outside of Python) fails as ``stuck``; its thread is lost to this process. If the run comes
   back after all, nothing that it sends counts: the job may have been replayed and completed elsewhere.
2. A run whose thread has died (an interrupt came too late) is given back.
3. A process that has lost a thread fetches no more; when everything else has ended, it ends too, and
   whoever watches over it (``jobfleet worker``, Kubernetes, systemd) starts another.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from dramatiq.logging import get_logger

from .lease import Lease
from .leases import Leases

#: Seconds beyond its time limit after which a run counts as stuck.
STUCK_AFTER = 30.0


class Health:
    """Looks after the runs of one process.

    Parameters:
      leases: what the process holds.
      settle: how a run is settled, as ``WorkerProcess.settle``.
      time_limit: seconds that a run may take, None for no limit.
      stop_fetching: called once, when a thread is lost.
      end: called once, when nothing but lost threads is left.
    """

    def __init__(
        self,
        leases: Leases,
        settle: Callable[..., None],
        time_limit: Callable[[Lease], float | None],
        stop_fetching: Callable[[], None],
        end: Callable[[], None],
    ) -> None:
        self.logger = get_logger(__name__, type(self))
        self._leases = leases
        self._settle = settle
        self._time_limit = time_limit
        self._stop_fetching = stop_fetching
        self._end = end
        self._lost = 0
        self._ended = False

    def look(self) -> None:
        """Judge every run; called with each heartbeat."""
        for lease in self._leases.running():
            if lease.thread is not None and not lease.thread.is_alive():
                self._lose(lease, "released", ["thread died"], None)
                continue
            limit = self._time_limit(lease)
            if limit is not None and time.monotonic() - lease.started > limit + STUCK_AFTER:
                error = f"the run did not end within {STUCK_AFTER:.0f} s of its time limit of {limit:g} s"
                self._lose(lease, "failed", [0, error, "Stuck", "", "stuck", "", "", 0], lease.message)
        if self._lost and not self._ended and not self._leases.holds_any():
            self._ended = True
            self._end()

    def _lose(self, lease: Lease, kind: str, detail: list[object], message: bytes | None) -> None:
        self.logger.critical(
            "job %s of %s: %s; this process ends soon",
            lease.job.job_id,
            lease.job.actor,
            detail,
            extra=lease.job.fields(),
        )
        self._settle(lease, kind, detail, message, taken_away=True)
        self._lost += 1
        if self._lost == 1:
            self._stop_fetching()
