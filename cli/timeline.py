"""One job's life, line by line."""

from __future__ import annotations

from collections.abc import Iterator

from ..middleware.logged_job import LoggedJob
from ..middleware.logged_run import LoggedRun
from .tables import duration, moment

#: What a run's outcome means, in the words of ``jobs show``.
MEANING = {
    "running": "runs",
    "completed": "completed",
    "retry": "failed, to be retried",
    "failed": "failed for good",
    "skipped": "skipped",
    "cancelled": "cancelled",
    "lost": "lost with its worker (no attempt used)",
    "released": "given back (no attempt used)",
    "postponed": "put off, something was away (no attempt used)",
}


def timeline_lines(job: LoggedJob) -> list[str]:
    """When the job was sent, each of its runs, and what comes next."""
    lines = [f"{moment(job.created_at, fine=True)}  sent to {job.queue}"]
    for run in job.runs:
        lines.extend(_run_lines(run))
    lines.extend(_last_lines(job))
    return lines


def _run_lines(run: LoggedRun) -> Iterator[str]:
    waited = f", waited {duration(run.wait_ms)}" if run.wait_ms is not None else ""
    yield f"{moment(run.started_at, fine=True)}  attempt {run.attempt} started{waited}"
    if run.outcome == "running":
        yield f"{'':12}  it runs on {run.worker or 'a worker'}"
        return
    took = f" after {duration(run.run_ms)}" if run.run_ms is not None else ""
    error = f": {' '.join(run.error.split())}" if run.error else ""
    yield f"{moment(run.ended_at, fine=True)}  attempt {run.attempt} {MEANING.get(run.outcome, run.outcome)}{took}{error}"


def _last_lines(job: LoggedJob) -> Iterator[str]:
    if job.status == "scheduled" and job.scheduled_for:
        yield f"{moment(job.scheduled_for, fine=True)}  due"
    elif job.status == "pending" and job.runs:
        yield f"{'':12}  it waits for a worker"
    elif job.status == "discarded":
        yield f"{'':12}  discarded"
