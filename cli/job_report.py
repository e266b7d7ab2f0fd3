"""Everything that is known of one job, from Redis and from the job log."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ..broker.errors import JobfleetError, Unavailable
from ..broker.job_state import JobState
from ..middleware.logged_job import LoggedJob
from .fleet_context import FleetContext
from .tables import duration, moment, note, say
from .timeline import timeline_lines


@dataclass(frozen=True)
class JobReport:
    """One job."""

    job_id: str
    #: Where Redis has it now; None once it is over and Redis has let it go.
    now: JobState | None
    #: What the job log has; None while it is not recorded, or without a database.
    logged: LoggedJob | None

    @property
    def state(self) -> str:
        """The newest that is known of where it is."""
        if self.now is not None:
            return self.now.state
        return self.logged.status if self.logged else "unknown"

    @property
    def trace_id(self) -> str:
        """The trace to which it belongs; empty without one, or once Redis has let the job go."""
        return self.now.trace_id if self.now is not None else ""

    @property
    def progress(self) -> str:
        """How far its run is, or its last run was; empty when none said so."""
        known = self.now if self.now is not None and self.now.progress is not None else self.logged
        if known is None or known.progress is None:
            return ""
        return f"{known.progress:.0%} {known.progress_note or ''}".rstrip()


def job_report(fleet: FleetContext, job_id: str) -> JobReport:
    """Look a job up.

    Raises:
      JobfleetError: neither Redis nor the log knows it.
      dramatiq.errors.ConnectionClosed: Redis is away.
    """
    archive, fleet.broker.archive = fleet.broker.archive, None
    now = fleet.broker.get(job_id)
    logged = None
    if archive is not None:
        try:
            logged = fleet.history.job(job_id)
        except Unavailable as error:
            note(f"jobfleet: {error}; only what Redis holds is shown")
    if now is None and logged is None:
        where = (
            "in Redis or in the job log" if archive is not None else "in Redis (no job log: DATABASE_URL is not set)"
        )
        raise JobfleetError(f"unknown job {job_id}: there is none of this id {where}")
    fleet.say_if_log_is_behind()
    return JobReport(job_id, now, logged)


def print_job_report(report: JobReport) -> None:
    """Print it for a person."""
    known = report.now or report.logged
    assert known is not None
    state = report.state + _since(report)
    rows = [
        ("job", report.job_id),
        ("state", state),
        ("queue", known.queue),
        ("tenant", known.tenant_id),
        ("actor", known.actor),
        ("priority", str(known.priority or 5)),
        ("attempts", f"{known.attempts} ended"),
    ]
    if report.logged:
        rows += _logged_rows(report.logged)
    rows += [(name, value) for name, value in (("progress", report.progress), ("trace", report.trace_id)) if value]
    for name, value in rows:
        say(f"{name:<10}{value}")
    if report.logged:
        say("\ntimeline")
        for line in timeline_lines(report.logged):
            say(f"  {line}")
        if report.logged.traceback:
            say("\ntraceback")
            for line in report.logged.traceback.rstrip().splitlines():
                say(f"  {line}")


def _since(report: JobReport) -> str:
    now = report.now
    if now is None or not now.since_ms:
        return ""
    runner = f" on {now.worker}" if now.worker else ""
    word = "due" if now.state == "scheduled" else "since"
    return f"{runner}, {word} {moment(now.since_ms)}"


def _logged_rows(job: LoggedJob) -> list[tuple[str, str]]:
    rows = [("sent", moment(job.created_at))]
    if job.idempotency_key:
        rows.append(("key", job.idempotency_key))
    if job.payload is not None:
        rows.append(("arguments", json.dumps(job.payload, ensure_ascii=False, default=str)))
    if job.wait_ms is not None:
        rows.append(("waited", duration(job.wait_ms)))
    if job.run_ms is not None:
        rows.append(("ran", duration(job.run_ms)))
    if job.result is not None:
        rows.append(("result", json.dumps(job.result, ensure_ascii=False, default=str)))
    if job.error:
        rows.append(("error", job.error))
    return rows
