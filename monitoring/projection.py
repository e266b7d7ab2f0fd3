"""The journal's events folded into rows: what each kind of event means for the job log.

1. The writer loads the rows of a batch's jobs and the last run of each.
2. ``apply`` takes the events in order; each changes the row of its job and perhaps its timeline or its dead letter,
   or is the record of an effect.
3. The writer stores what was changed.

The journal was written together with each transition, so its order is the truth. What arrives after a job's end is
late and changes nothing, but for a replay, a discard, or the same id sent again.
"""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Callable

from ..middleware.effect_records import EffectRecord
from .dead_letter_row import DeadLetterRow
from .event_detail import EventDetail
from .log_row import LogRow
from .timeline import Timeline

LOGGER = logging.getLogger(__name__)

#: Kinds that change a job whatever its state is.
REOPENING = frozenset({"enqueued", "replayed"})
#: Kinds that say nothing new of a job that has failed; an end is believed, as the journal knew of the replay before it.
MIDWAY = frozenset({"started", "progress", "lost", "released", "postponed"})


class Projection:
    """The rows of one batch.

    Parameters:
      known: the rows that the log already has, by job id.
      timeline: the runs of the same jobs.
    """

    def __init__(self, known: dict[str, LogRow], timeline: Timeline) -> None:
        self._rows = known
        self.timeline = timeline
        #: Rows that must be stored, by job id.
        self.changed: dict[str, LogRow] = {}
        #: Dead letters that must be stored whole, by job id.
        self.dead: dict[str, DeadLetterRow] = {}
        #: What runs did and could not write down, in order.
        self.effects: list[EffectRecord] = []
        #: Dead letters of earlier batches that were replayed or discarded: job id -> (status, moment).
        self.settled: dict[str, tuple[str, int]] = {}
        self._kinds: dict[str, Callable[[LogRow, EventDetail], None]] = {
            "enqueued": self._enqueued,
            "started": self._started,
            "progress": self._progress,
            "completed": self._ended,
            "skipped": self._ended,
            "cancelled": self._ended,
            "retry": self._retry,
            "failed": self._failed,
            "lost": self._given_back,
            "released": self._given_back,
            "postponed": self._postponed,
            "replayed": self._replayed,
            "discarded": self._discarded,
        }

    def apply(self, event: EventDetail) -> None:
        """Fold one event in; a kind that a newer version wrote is passed over."""
        if event.kind == "effect":
            # True whatever becomes of the job.
            self.effects.append(event.effect)
            return
        change = self._kinds.get(event.kind)
        if change is None:
            LOGGER.debug("The journal has an event of a kind that this version does not know: %r", event.kind)
            return
        row = self._rows.get(event.job_id) or _born(event)
        self._file(row, event)
        if not _too_late(row, event.kind):
            self._rows[row.job_id] = self.changed[row.job_id] = row
            change(row, event)

    def _file(self, row: LogRow, event: EventDetail) -> None:
        """Keep the dead letters, whatever the row says: Redis lets go of them on our word."""
        if event.kind == "failed":
            self.dead[row.job_id] = _dead_letter(event, row.idempotency_key)
            self.settled.pop(row.job_id, None)
        elif event.kind in ("replayed", "discarded"):
            if letter := self.dead.get(row.job_id):
                letter.settle(event.kind, event.at_ms)
            else:
                self.settled[row.job_id] = (event.kind, event.at_ms)

    def _enqueued(self, row: LogRow, event: EventDetail) -> None:
        """A job is born; the same id sent again after its end is a new life in the same row."""
        self.timeline.abandon(event)
        fresh = self._rows[row.job_id] = self.changed[row.job_id] = _born(event)
        fresh.idempotency_key = event.key
        fresh.priority = event.priority
        fresh.payload = event.message.payload()
        fresh.wait_until(event.due_ms, event.at_ms)

    def _started(self, row: LogRow, event: EventDetail) -> None:
        row.become("active", event.at_ms)
        row.started_ms = event.at_ms
        row.worker = event.worker
        _begin_anew(row)
        self.timeline.start(event)

    def _progress(self, row: LogRow, event: EventDetail) -> None:
        row.progress, row.progress_note = event.fraction, event.note

    def _ended(self, row: LogRow, event: EventDetail) -> None:
        """Completed, skipped or cancelled."""
        row.become(event.kind, event.at_ms)
        _measure(row, event)
        row.result = event.result
        row.error = row.traceback = None
        if event.kind != "cancelled":
            row.attempts = event.attempt
        self.timeline.end(event)

    def _retry(self, row: LogRow, event: EventDetail) -> None:
        row.wait_until(event.due_ms, event.at_ms)
        _measure(row, event)
        row.error, row.traceback = event.error, event.traceback
        row.attempts = event.attempt
        _begin_anew(row)
        self.timeline.end(event)

    def _failed(self, row: LogRow, event: EventDetail) -> None:
        letter = self.dead[row.job_id]
        row.become("failed", event.at_ms)
        _measure(row, event)
        row.error, row.traceback = letter.error, event.traceback
        row.attempts = event.attempt
        row.payload = row.payload or letter.payload
        row.priority = row.priority or letter.priority
        row.created_ms = event.created_ms or row.created_ms
        self.timeline.end(event)

    def _given_back(self, row: LogRow, event: EventDetail) -> None:
        """Lost or released: pending again, no attempt was used."""
        row.become("pending", event.at_ms)
        row.worker = None
        _begin_anew(row)
        self.timeline.end(event)

    def _postponed(self, row: LogRow, event: EventDetail) -> None:
        row.wait_until(event.due_ms, event.at_ms)
        row.error = event.error
        _begin_anew(row)
        self.timeline.end(event)

    def _replayed(self, row: LogRow, event: EventDetail) -> None:
        row.become("pending", event.at_ms)
        row.payload = row.payload or event.message.payload()

    def _discarded(self, row: LogRow, event: EventDetail) -> None:
        row.become("discarded", event.at_ms)


def _too_late(row: LogRow, kind: str) -> bool:
    if kind in REOPENING:
        return False
    return row.final if kind in MIDWAY else row.closed


def _born(event: EventDetail) -> LogRow:
    return LogRow(
        job_id=event.job_id,
        tenant_id=event.tenant_id,
        job_type=event.actor,
        queue=event.queue,
        created_ms=event.created_ms or event.at_ms,
    )


def _begin_anew(row: LogRow) -> None:
    """The next run has got nowhere yet; a run that is short may never say that it started."""
    row.progress = row.progress_note = None


def _measure(row: LogRow, event: EventDetail) -> None:
    """Take over when the run began and how long it waited and took; a job that never ran keeps what it has."""
    if event.started_ms:
        row.started_ms, row.worker = event.started_ms, event.worker or row.worker
        row.wait_ms, row.run_ms = event.wait_ms, event.run_ms


def _dead_letter(event: EventDetail, key: str | None) -> DeadLetterRow:
    return DeadLetterRow(
        job_id=event.job_id,
        original_queue=event.queue,
        tenant_id=event.tenant_id,
        actor=event.actor,
        payload=event.message.payload(),
        message=b64encode(event.message.stored()).decode(),
        idempotency_key=key,
        priority=event.priority,
        created_ms=event.created_ms,
        error=event.error or "unknown error",
        error_type=event.error_type,
        traceback=event.traceback,
        reason=event.reason,
        attempts=event.attempt,
        failed_ms=event.at_ms,
    )
