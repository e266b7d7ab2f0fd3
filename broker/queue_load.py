"""What there is to do in a queue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class QueueLoad:
    """One queue, as whoever scales its workers sees it."""

    queue: str
    #: Jobs that workers hold.
    running: int
    #: Jobs that could run now: over all tenants, what waits as far as the tenant has free slots.
    ready: int
    #: Scheduled jobs whose time comes within half a minute, or has come.
    due_soon: int

    @property
    def value(self) -> int:
        """Jobs to have threads for; one that is due soon is enough for the first worker to start."""
        return self.running + self.ready or min(1, self.due_soon)
