"""What the broker asks of PostgreSQL, and never by itself: a reader is handed to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .dead_letter import DeadLetter
from .job_state import JobState


class Archive(Protocol):
    """Dead letters and jobs that have left Redis."""

    def dead_letters(
        self, *, queue: str | None, tenant: str | None, actor: str | None, error: str | None, limit: int
    ) -> list[DeadLetter]:
        """The newest dead letters that match; `error` is a part of the error's text."""

    def dead_letter(self, job_id: str) -> DeadLetter | None:
        """One dead letter that was neither replayed nor discarded."""

    def discard(self, deaths: Mapping[str, int]) -> list[str]:
        """Give dead letters up, each by its id and the moment it died (ms); returns the ids that were dead so."""

    def job(self, job_id: str) -> JobState | None:
        """A job as the job log knows it."""
