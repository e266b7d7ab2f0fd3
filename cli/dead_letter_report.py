"""One dead letter, for people and for programs; what its actor redacts is shown to neither."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ..broker.dead_letter import DeadLetter
from ..monitoring.sent_message import SentMessage
from .tables import moment, say


def dead_letter_object(letter: DeadLetter, plan: str) -> dict[str, Any]:
    """The dead letter as JSON shows it, with the plan of its tenant."""
    return {
        "job_id": letter.job_id,
        "queue": letter.queue,
        "tenant_id": letter.tenant_id,
        "plan": plan,
        "actor": letter.actor,
        "priority": letter.priority,
        "attempts": letter.attempts,
        "reason": letter.reason,
        "error": letter.error,
        "error_type": letter.error_type,
        "traceback": letter.traceback,
        "created_at": _iso(letter.created_ms),
        "failed_at": _iso(letter.failed_ms),
        "idempotency_key": letter.key or None,
        "payload": _payload(letter),
        "archived": letter.archived,
    }


def print_dead_letter(letter: DeadLetter, plan: str) -> None:
    """Print it for a person."""
    rows = [
        ("job", letter.job_id),
        ("queue", letter.queue),
        ("tenant", letter.tenant_id),
        ("plan", plan),
        ("actor", letter.actor),
        ("attempts", str(letter.attempts)),
        ("reason", letter.reason),
        ("sent", moment(letter.created_ms)),
        ("failed", moment(letter.failed_ms)),
        ("arguments", json.dumps(_payload(letter), ensure_ascii=False, default=str)),
        ("error", letter.error),
    ]
    for name, value in rows:
        say(f"{name:<10}{value}")
    if letter.traceback:
        say("\ntraceback")
        for line in letter.traceback.rstrip().splitlines():
            say(f"  {line}")
    say(f"\nto run it again: jobfleet dead replay {letter.job_id}")


def _payload(letter: DeadLetter) -> dict[str, Any] | None:
    return SentMessage(letter.message.decode("utf-8", "surrogateescape")).payload()


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()
