"""What a cancel by filter did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CancelledJobs:
    """The ids of the jobs that matched, by the state that they were in."""

    #: Those that could have run, and are over.
    pending: tuple[str, ...] = ()
    #: Those that waited for their time or were held for their tenant's rate, and are over.
    scheduled: tuple[str, ...] = ()
    #: Those that run: their workers interrupt them within a heartbeat, unless they end by themselves before.
    active: tuple[str, ...] = ()
    #: Nothing was done.
    dry_run: bool = False

    @property
    def over(self) -> int:
        """Jobs that will not begin."""
        return len(self.pending) + len(self.scheduled)

    @property
    def count(self) -> int:
        """All that matched."""
        return self.over + len(self.active)
