"""Endpoints that a test subscribes, and what it may ask about their deliveries."""

from __future__ import annotations

import base64
from typing import Any

from job_context import running

from jobfleet.actors import trigger_webhook
from jobfleet.middleware.database import database

SECRET = "whsec_" + base64.b64encode(b"the new secret").decode()


def subscribe(url: str, **columns: Any) -> int:
    row = {"tenant_id": "42", "url": url, "secret": SECRET, "events": ["*"], **columns}
    names, places = ", ".join(row), ", ".join(f"%({name})s" for name in row)
    with database().connection() as connection:
        found = connection.execute(
            f"INSERT INTO webhooks ({names}) VALUES ({places}) RETURNING id".encode(), row
        ).fetchone()
    assert found
    return int(found["id"])


def deliver(webhook_id: int, job_id: str = "job-1", attempt: int = 1, **changes: Any) -> dict[str, Any]:
    arguments = {"tenant_id": "42", "event": "order.paid", "payload": {"id": 7, "name": "Käte"}, **changes}
    with running(job_id=job_id, queue="webhook", attempt=attempt, tenant_id=arguments["tenant_id"]):
        return trigger_webhook(webhook_id=webhook_id, **arguments)


def rows(table: str = "webhook_deliveries") -> list[dict[str, Any]]:
    with database().connection() as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY id".encode()).fetchall()
