"""Reads the job log for people: lists of jobs, and one job with its timeline."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from ..broker.errors import JobfleetError
from .database import Database
from .logged_job import LoggedJob
from .logged_run import LoggedRun
from .queries import Queries

QUERIES = Queries(__file__)


class JobHistory:
    """The job log, to be read.

    Parameters:
      database: where it is.

    Every method raises ``Unavailable`` when the server is away.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def jobs(
        self,
        *,
        queue: str | None = None,
        tenant: str | None = None,
        status: str | None = None,
        actor: str | None = None,
        limit: int = 50,
        before: datetime | None = None,
        since: datetime | None = None,
        after: str | None = None,
    ) -> list[LoggedJob]:
        """The newest jobs that match all that is given, newest first.

        Parameters:
          queue, tenant, actor: exact names.
          status: as in ``LoggedJob.status``; jobs whose time has come count as pending.
          limit: how many at most.
          before: only jobs that were sent earlier.
          since: only jobs that were sent then or later.
          after: the id of the last job of the page before; also among jobs sent at one moment none is left out.

        Raises:
          JobfleetError: the log has no job `after`.
        """
        filters: dict[str, Any] = {"queue": queue, "tenant": tenant, "status": status, "actor": actor, "limit": limit}
        filters |= {"before": before, "since": since, "after": after}
        with self._database.connection() as connection:
            if after is not None and connection.execute(QUERIES["job"], {"job_id": after}).fetchone() is None:
                raise JobfleetError(f"the log has no job {after!r} any more behind which a page could begin")
            return [LoggedJob(**row) for row in connection.execute(QUERIES["jobs"], filters)]

    def job(self, job_id: str) -> LoggedJob | None:
        """One job with all its runs; None when the log does not know it."""
        with self._database.connection() as connection:
            row = connection.execute(QUERIES["job"], {"job_id": job_id}).fetchone()
            if row is None:
                return None
            runs = connection.execute(QUERIES["runs"], {"job_id": job_id}).fetchall()
        return replace(LoggedJob(**row), runs=tuple(LoggedRun(**run) for run in runs))
