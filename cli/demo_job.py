"""A job that the demo sends."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DemoJob:
    """What the application asked for, and what must become of it."""

    #: What this job alone is about: an email's recipient; a webhook's endpoint and order.
    key: str
    queue: str
    tenant_id: str
    #: Attempts until it completes or is dead, a replay not included.
    attempts: int = 1
    #: Why it is dead before the replay; empty when it completes by itself.
    reason: str = ""
    #: Whether the demo mends what it failed on and replays it.
    mended: bool = False
    #: The moment before which it must not run, in seconds since the epoch.
    not_before: float = 0.0

    @property
    def final_attempts(self) -> int:
        """Attempts at the end, the one after the replay included."""
        return self.attempts + self.mended

    @property
    def final_status(self) -> str:
        """What the job log says at the end."""
        return "failed" if self.reason and not self.mended else "completed"
