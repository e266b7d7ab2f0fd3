"""One thing that decides when a job runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One reason why a job does not run, runs, or will not run."""

    #: For programs: one word, such as ``delayed`` or ``tenant_concurrency``; see ``reasons``.
    kind: str
    #: For people: a clause without a full stop.
    text: str
    #: When it began, ms since the epoch, where that is known.
    since_ms: int | None = None
    #: When it ends at the earliest, ms since the epoch, where that is known.
    until_ms: int | None = None

    def __str__(self) -> str:
        return self.text
