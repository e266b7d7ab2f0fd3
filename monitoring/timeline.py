"""The runs of a batch's jobs: what becomes of ``job_attempts``."""

from __future__ import annotations

from .attempt_row import AttemptRow
from .event_detail import EventDetail

#: Ends of which a run is told even when nobody wrote down that it had started.
TOLD_WITHOUT_START = frozenset({"lost", "postponed"})


class Timeline:
    """Runs by job.

    Parameters:
      last: the last run of each job that has one.
    """

    def __init__(self, last: dict[str, AttemptRow]) -> None:
        self._last = last
        #: Runs that must be stored, by job id and number.
        self.changed: dict[tuple[str, int], AttemptRow] = {}

    def start(self, event: EventDetail) -> None:
        """A worker began a run."""
        running = self._running(event.job_id)
        if running and (running.attempt, running.worker) == (event.attempt, event.worker):
            return
        self.abandon(event)
        self._append(event, "running", event.at_ms)

    def end(self, event: EventDetail) -> None:
        """A run ended; one that began and ended between two batches is written here for the first time."""
        run = self._run_that_ends(event)
        if run is None:
            return
        run.outcome, run.ended_ms = event.kind, event.at_ms
        run.started_ms = event.started_ms or run.started_ms
        run.wait_ms, run.run_ms = event.wait_ms, event.run_ms
        run.error, run.traceback = event.error, event.traceback
        if event.kind in ("retry", "failed"):
            run.error = run.error or "unknown error"
        self.changed[run.job_id, run.run] = run

    def abandon(self, event: EventDetail) -> None:
        """A run that is still open was lost, as the job goes on without it."""
        if run := self._running(event.job_id):
            run.outcome, run.ended_ms = "lost", event.at_ms
            self.changed[run.job_id, run.run] = run

    def _run_that_ends(self, event: EventDetail) -> AttemptRow | None:
        running = self._running(event.job_id)
        if running and running.attempt == event.attempt:
            return running
        self.abandon(event)
        if event.started_ms or event.kind in TOLD_WITHOUT_START:
            return self._append(event, event.kind, event.started_ms)
        return None

    def _running(self, job_id: str) -> AttemptRow | None:
        run = self._last.get(job_id)
        return run if run and run.outcome == "running" else None

    def _append(self, event: EventDetail, outcome: str, started_ms: int | None) -> AttemptRow:
        before = self._last.get(event.job_id)
        run = AttemptRow(
            job_id=event.job_id,
            run=before.run + 1 if before else 1,
            attempt=event.attempt,
            outcome=outcome,
            worker=event.worker,
            started_ms=started_ms,
        )
        self._last[run.job_id] = self.changed[run.job_id, run.run] = run
        return run
