"""An event's detail, read so that whatever is in it can be stored."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from ..broker.journal import Event
from ..middleware.effect_records import EffectRecord
from . import storable
from .sent_message import SentMessage

#: Characters that the log keeps of an error's text, a traceback, and a short text such as a progress note.
ERROR_MAX = 10_000
TRACEBACK_MAX = 100_000
NOTE_MAX = 1_000
#: Sizes of the columns.
JOB_ID_MAX = 255
ACTOR_MAX = 100
QUEUE_MAX = 50
NAME_MAX = 255


class EventDetail:
    """One event as the log takes it: every text cut to its column, every number in range."""

    def __init__(self, event: Event) -> None:
        self.kind = event.kind
        self.job_id = storable.name(event.job_id, JOB_ID_MAX)
        self.tenant_id = storable.name(event.tenant_id, NAME_MAX)
        self.actor = storable.name(event.actor, ACTOR_MAX)
        self.queue = storable.name(event.queue, QUEUE_MAX)
        self.worker = storable.name(event.worker, NAME_MAX) or None
        self.attempt = storable.count(event.attempt)
        self.at_ms = storable.milliseconds(event.at_ms)
        self._detail: dict[str, Any] = event.detail if isinstance(event.detail, dict) else {}

    @cached_property
    def message(self) -> SentMessage:
        """The encoded message that came with the event."""
        return SentMessage(self._detail.get("message") or "")

    @property
    def key(self) -> str | None:
        """The idempotency key."""
        return self._text("key", NOTE_MAX)

    @property
    def note(self) -> str | None:
        """What the job says of its progress."""
        return self._text("note", NOTE_MAX)

    @property
    def fraction(self) -> float | None:
        """Progress from 0 to 1."""
        return storable.fraction(self._detail.get("fraction"))

    @property
    def priority(self) -> int:
        """1 to 9, 5 when it is not said."""
        return min(9, storable.count(self._detail.get("priority")) or 5)

    @property
    def due_ms(self) -> int:
        """When the job is due, 0 for at once."""
        return storable.milliseconds(self._detail.get("due_ms"))

    @property
    def created_ms(self) -> int | None:
        """When the job was sent, if the event knows."""
        return storable.milliseconds(self._detail.get("created_ms")) or None

    @property
    def started_ms(self) -> int | None:
        """When the run began that this event ends, None when there was none."""
        return storable.milliseconds(self._detail.get("started_ms")) or None

    @property
    def wait_ms(self) -> int | None:
        """How long the job waited before the run."""
        return storable.whole(self._detail["wait_ms"]) if "wait_ms" in self._detail else None

    @property
    def run_ms(self) -> int | None:
        """How long the run took."""
        return storable.whole(self._detail["run_ms"]) if "run_ms" in self._detail else None

    @property
    def error(self) -> str | None:
        """What went wrong, or why somebody ended the run."""
        return self._text("error", ERROR_MAX) or self._text("reason", ERROR_MAX)

    @property
    def error_type(self) -> str:
        """The name of the exception's class."""
        return storable.name(self._detail.get("error_type") or "", NAME_MAX)

    @property
    def traceback(self) -> str | None:
        """Where it went wrong."""
        return self._text("traceback", TRACEBACK_MAX)

    @property
    def reason(self) -> str:
        """Why a job failed for good, such as exhausted."""
        return storable.name(self._detail.get("reason") or "unknown", NAME_MAX)

    @property
    def result(self) -> Any:
        """What the actor returned; text that is no JSON is kept as text."""
        given = self._detail.get("result")
        if not given:
            return None
        try:
            return storable.json_value(json.loads(given))
        except (TypeError, ValueError, RecursionError):
            return storable.text(given, ERROR_MAX)

    @property
    def effect(self) -> EffectRecord:
        """What the run did and could not write down."""
        return EffectRecord(job_id=self.job_id, at_ms=self.at_ms, text=str(self._detail.get("record")))

    def _text(self, field: str, limit: int) -> str | None:
        given = self._detail.get(field)
        return storable.text(given, limit) if given else None
