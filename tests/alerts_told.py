"""What Alertmanager sends to a webhook."""

from __future__ import annotations

from typing import Any

#: What it gives as the end of an alert that fires.
NEVER = "0001-01-01T00:00:00Z"


def alert(status: str = "firing", *, start: str = "10:00", queue: str = "email", **own: Any) -> dict[str, Any]:
    """An alert as Alertmanager 0.25 writes it."""
    ends = NEVER if status == "firing" else "2026-05-01T11:00:00.123456789Z"
    return {
        "status": status,
        "labels": {"alertname": "JobfleetDeadLetterGrowing", "severity": "warning", "queue": queue},
        "annotations": {"summary": f"Dead letters of {queue} grow", "runbook_url": "https://x/docs/runbook.md#y"},
        "startsAt": f"2026-05-01T{start}:00.123456789Z",
        "endsAt": ends,
        "generatorURL": "http://prometheus/graph",
        "fingerprint": f"c0ffee-{queue}",
        **own,
    }


def notification(*alerts: dict[str, Any]) -> dict[str, Any]:
    """A whole notification, version 4."""
    return {
        "version": "4", "groupKey": '{}:{alertname="x"}', "truncatedAlerts": 0, "status": "firing",
        "receiver": "monitor", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager", "alerts": list(alerts),
    }  # fmt: skip
