"""Where one job is."""

from __future__ import annotations

from dataclasses import dataclass

from dramatiq.errors import DecodeError
from dramatiq.message import Message

from .record import Record
from .scripts import Scripts
from .trace_context import TraceContext


@dataclass(frozen=True, kw_only=True)
class JobState:
    """What is known of a job, from Redis or from the job log."""

    job_id: str
    #: pending, scheduled, active, failed; from the job log also completed, cancelled, skipped, discarded.
    state: str
    queue: str
    tenant_id: str
    actor: str
    priority: int
    #: Attempts that have ended.
    attempts: int
    #: When it was sent, ms since the epoch.
    created_ms: int
    #: Since when it is in this state, or when it is due; ms since the epoch, 0 where unknown.
    since_ms: int
    #: Who runs it.
    worker: str = ""
    #: How far its run says it is, 0 to 1; None when none says so.
    progress: float | None = None
    #: What the run says of it.
    progress_note: str = ""
    #: The trace to which it belongs, empty where there is none or Redis has let the job go.
    trace_id: str = ""


def find_job(scripts: Scripts, job_id: str) -> JobState | None:
    """The job as Redis knows it, None when it does not."""
    found = scripts.call("find", job_id)
    if found is None:
        return None
    packed, place, since, worker, fraction, note = found
    record = Record.decode(packed)
    return JobState(
        job_id=job_id,
        state=place.decode(),
        queue=record.queue,
        tenant_id=record.tenant_id,
        actor=record.actor,
        priority=record.priority,
        attempts=record.attempts,
        created_ms=record.created_ms,
        since_ms=int(float(since)),
        worker=worker.decode(),
        progress=float(fraction) if fraction else None,
        progress_note=note.decode("utf-8", "replace"),
        trace_id=_trace_id(record.message),
    )


def _trace_id(encoded: bytes) -> str:
    try:
        trace = TraceContext.read(Message.decode(encoded).options)
    except (DecodeError, TypeError, AttributeError):
        # What no worker could read either has no trace.
        return ""
    return trace.trace_id if trace else ""
