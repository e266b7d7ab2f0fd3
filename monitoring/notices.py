"""What the recorder tells of jobs in its own log: a job that is lost or dead has no worker any more that could."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from ..broker.journal import Entry, Event
from .event_detail import EventDetail

LOGGER = logging.getLogger(__name__)


def tell(entries: Iterable[Entry]) -> None:
    """Log a line for each run that was lost and each job that became a dead letter."""
    for entry in entries:
        for event in entry.events:
            if event.kind == "lost":
                _tell(event, "Job %s of %s was lost with its worker and waits again: %s")
            elif event.kind == "failed":
                _tell(event, "Job %s of %s is a dead letter: %s")


def _tell(event: Event, sentence: str) -> None:
    detail = EventDetail(event)
    fields: dict[str, Any] = {
        "job_id": detail.job_id,
        "tenant": detail.tenant_id,
        "queue": detail.queue,
        "actor": detail.actor,
        "attempt": detail.attempt,
        "worker": detail.worker,
    }
    if event.kind == "failed":
        fields["reason"] = detail.reason
    if trace := detail.message.trace():
        fields["trace_id"] = trace.trace_id
    LOGGER.warning(sentence, detail.job_id, detail.actor, detail.error or "unknown", extra=fields)
