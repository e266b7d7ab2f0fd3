"""What runs say of their progress, until the journal knows it.

1. A run reports as often as it likes: a report is one assignment, the newest one counts.
2. The settling thread takes what is new with its next batch, at most twice a second of each run.
3. What is new when the run ends goes in front of its outcome, so the last report is never lost.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from .lease import Lease
from .leases import Leases

#: Seconds between two reports of one run that the journal takes.
PAUSE_SECONDS = 0.5


@dataclass(slots=True, eq=False)
class Progress:
    """The newest report of one run."""

    fraction: float = 0.0
    note: str = ""
    #: The journal does not know it yet.
    news: bool = False
    #: time.monotonic() when the journal was told last.
    told: float = float("-inf")

    def take(self) -> tuple[float, str]:
        """The newest report, no news from here on."""
        self.news = False
        self.told = time.monotonic()
        return self.fraction, self.note


#: The runs of this process that have reported, until their outcomes are handed over. By the lease itself, which is
#: one run of one broker: what never reports costs nothing here.
_reported: dict[Lease, Progress] = {}
_lock = threading.Lock()


def report(lease: Lease, fraction: float, note: str) -> None:
    """Keep what a run says; nothing once its outcome is handed over."""
    progress = _reported.get(lease)
    if progress is None:
        progress = Progress()
        with _lock:
            if lease.handed_over:
                return
            _reported[lease] = progress
    progress.fraction, progress.note = fraction, note
    progress.news = True


def news(leases: Leases) -> list[tuple[Lease, Progress]]:
    """The reports that it is time to tell the journal of, of the runs that are held there."""
    if not _reported:
        return []
    latest = time.monotonic() - PAUSE_SECONDS
    with _lock:
        due = [item for item in _reported.items() if item[1].news and item[1].told <= latest]
    return [(lease, progress) for lease, progress in due if leases.find(lease.job.job_id) is lease]


def forget(lease: Lease) -> Progress | None:
    """Let go of a run that has ended; returns what it reported and the journal does not know."""
    if lease not in _reported:
        return None
    with _lock:
        progress = _reported.pop(lease, None)
    return progress if progress is not None and progress.news else None
