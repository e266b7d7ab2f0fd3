"""What the broker wants to know of jobs that have left Redis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..broker.dead_letter import DeadLetter
from ..broker.job_state import JobState
from .database import Database
from .queries import Queries

QUERIES = Queries(__file__)


class PostgresArchive:
    """Dead letters and jobs as PostgreSQL holds them; a ``broker.archive.Archive``.

    Parameters:
      database: where the tables are.

    Every method raises ``Unavailable`` when the server is away.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def dead_letters(
        self,
        *,
        queue: str | None = None,
        tenant: str | None = None,
        actor: str | None = None,
        error: str | None = None,
        limit: int = 100,
    ) -> list[DeadLetter]:
        """The newest dead letters that match; ``error`` is a part of the error's text."""
        filters = {"queue": queue, "tenant": tenant, "actor": actor, "error": error, "limit": limit}
        return [_dead_letter(row) for row in self._fetch("dead_letters", filters)]

    def dead_letter(self, job_id: str) -> DeadLetter | None:
        """One dead letter that was neither replayed nor discarded."""
        rows = self._fetch("dead_letter", {"job_id": job_id})
        return _dead_letter(rows[0]) if rows else None

    def discard(self, deaths: Mapping[str, int]) -> list[str]:
        """Give dead letters up, in their table and in the job log; returns the ids that were dead.

        Parameters:
          deaths: job id -> when it died, ms since the epoch; one that was replayed and died again is left alone.
        """
        values = {"job_ids": list(deaths), "failed_ms": list(deaths.values())}
        return [row["job_id"] for row in self._fetch("discard", values)]

    def job(self, job_id: str) -> JobState | None:
        """A job as the job log knows it."""
        rows = self._fetch("job_state", {"job_id": job_id})
        return JobState(**rows[0]) if rows else None

    def _fetch(self, statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        with self._database.connection() as connection:
            return connection.execute(QUERIES[statement], values).fetchall()


def _dead_letter(row: dict[str, Any]) -> DeadLetter:
    return DeadLetter(**{**row, "message": bytes(row["message"])}, archived=True)
