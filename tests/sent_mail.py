"""Emails that a test sends as a job, and what was written down about them."""

from __future__ import annotations

from typing import Any

import pytest
from job_context import running

from jobfleet.actors import send_email
from jobfleet.broker.settings import settings
from jobfleet.middleware.database import database


def use(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("SMTP_URL", url)
    settings.cache_clear()


def send(job_id: str = "", **changes: Any) -> dict[str, Any]:
    email = {"tenant_id": "42", "to": "Ada <ada@example.com>", "subject": "Hello", "body": "Hi Ada", **changes}
    with running(job_id=job_id):
        return send_email(**email)


def rows() -> list[dict[str, Any]]:
    with database().connection() as connection:
        return connection.execute(
            "SELECT job_id, tenant_id, recipient, subject, message_id, status, sent_at FROM sent_emails ORDER BY id"
        ).fetchall()
