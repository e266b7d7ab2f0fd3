"""Audit rows: who changed what over the monitor's HTTP, also when PostgreSQL was away."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from admin_site import AUTHORIZATION, PAUSE, TOKENS, change, data, monitored, path_of, refusal
from databases import open_again, shut
from http_client import Client

from jobfleet.broker import FairBroker
from jobfleet.broker.settings import settings
from jobfleet.middleware.database import Database
from jobfleet.monitoring.admin import audit_entry
from jobfleet.monitoring.admin.audit_entry import AuditEntry
from jobfleet.monitoring.admin.dead_letters import DeadChoice
from jobfleet.monitoring.admin.role import Role
from jobfleet.monitoring.admin.routes import ROUTES
from jobfleet.monitoring.admin.server import AdminServer
from jobfleet.monitoring.admin_audit import AdminAudit
from jobfleet.monitoring.admin_change import ANSWER_MOST, AdminChange, shown
from jobfleet.monitoring.record_keeper import RecordKeeper


@pytest.fixture
def audit(broker: FairBroker, pool: Database) -> AdminAudit:
    return AdminAudit(pool, broker)


@pytest.fixture
def away(database_url: str) -> Iterator[str]:
    """PostgreSQL has gone, until the test lets it come back."""
    shut(database_url)
    yield database_url
    open_again(database_url)


@contextmanager
def admin_of(broker: FairBroker, pool: Database) -> Iterator[Client]:
    """The admin of a fleet whose servers may be away."""
    with (
        AdminServer(monitored(broker, pool), TOKENS, "127.0.0.1", 0) as server,
        Client(server.url, TOKENS.admin) as client,
    ):
        yield client


def listed(client: Client, **filters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data(client.get("/admin/audit", params=filters))["changes"]
    return found


def test_every_route_that_changes_leaves_a_row_whatever_it_answers(served: str, viewer: Client) -> None:
    # When each of them is used by everybody
    answered = []
    with Client(served) as client:
        for route in ROUTES:
            for role, authorization in AUTHORIZATION.items():
                status = client.ask(route.method, path_of(route), headers={"Authorization": authorization}).status_code
                if route.method != "GET" and route.path != "/alerts" and role is not Role.ANYONE:
                    answered.append((route.path, role.value, status))

    # Then there is a row of each use with its outcome, and of nothing else
    rows = listed(viewer, limit=500)
    assert [(row["route"], row["role"], row["status"]) for row in reversed(rows)] == answered
    assert {200, 403, 404, 422} <= {row["status"] for row in rows}
    assert all((row["error"] is None) == (row["status"] == 200) for row in rows)


def test_a_row_says_who_did_what_from_where_and_what_came_of_it(admin: Client, viewer: Client) -> None:
    before = datetime.now(UTC)
    forwarded = {"X-Forwarded-For": "203.0.113.7"}
    data(admin.post("/admin/queues/email/pause", headers=forwarded))
    body = {"queue": "email", "error": "boom", "dry_run": True}
    data(admin.post("/admin/dead/replay", json=body))
    refusal(admin.post("/admin/dead/discard", json={"queue": "email", "limit": 0}), 422)

    bad, dry, pause = listed(viewer)

    assert (pause["role"], pause["fingerprint"]) == ("admin", TOKENS.fingerprint(Role.ADMIN))
    assert (pause["remote"], pause["forwarded_for"]) == ("127.0.0.1", "203.0.113.7")
    assert (pause["method"], pause["route"], pause["parameters"]) == ("POST", PAUSE, {"queue": "email"})
    assert (pause["status"], pause["answer"]) == (200, {"queue": "email", "paused": True})
    times = [datetime.fromisoformat(pause[name]) for name in ("at", "answered_at")]
    assert [before, *times] == sorted([before, *times])
    assert dry["parameters"] == body, "what was not given is not made up"
    assert (bad["status"], bad["answer"]) == (422, None)
    assert "limit" in bad["error"]


def test_nothing_secret_is_written() -> None:
    given = {"queue": "a", "Api_Key": "x", "smtp": [{"password": "x"}], "token": {"x": "x"}, "n": "\0\ud800"}
    assert shown(given) == {
        "queue": "a",
        "Api_Key": "[redacted]",
        "smtp": [{"password": "[redacted]"}],
        "token": "[redacted]",
        "n": "\ufffd\ufffd",
    }
    asked = change().asking(given)
    assert (asked.parameters["queue"], asked.parameters["token"]) == ("a", "[redacted]")
    assert asked.done(["x" * ANSWER_MOST]).answer == {"left_out_characters": ANSWER_MOST + 4}


def test_rows_are_found_page_by_page_by_time_and_route(viewer: Client, audit: AdminAudit) -> None:
    # Given five rows, two of them of one moment
    start = datetime(2026, 5, 1, tzinfo=UTC)
    for minute in (0, 1, 1, 2, 3):
        audit.write(change(at=start + timedelta(minutes=minute), route=PAUSE if minute else "/other"))

    pages: list[list[str]] = []
    filters: dict[str, Any] = {"limit": 2}
    while filters.get("after", "") is not None:
        page = data(viewer.get("/admin/audit", params=filters))
        pages.append([row["at"][14:16] for row in page["changes"]])
        filters["after"] = page["next"]

    assert pages == [["03", "02"], ["01", "01"], ["00"]]
    assert [row["at"][14:16] for row in listed(viewer, route=PAUSE, until="2026-05-01T00:02:00Z")] == ["01", "01"]
    assert [row["at"][14:16] for row in listed(viewer, since="2026-05-01T02:02:00+02:00")] == ["03", "02"]
    assert "no change" in refusal(viewer.get("/admin/audit", params={"after": str(uuid4())}), 400)
    assert "after" in refusal(viewer.get("/admin/audit", params={"after": "x"}), 422)


def test_a_change_goes_on_without_postgresql_and_its_row_is_written_once_it_is_back(
    admin: Client, broker: FairBroker, pool: Database, away: str, caplog: pytest.LogCaptureFixture
) -> None:
    # When a queue is paused in an outage
    with caplog.at_level(logging.WARNING):
        assert data(admin.post("/admin/queues/email/pause"))["paused"] is True
    assert broker.paused() == ["queue:email"]
    assert "has no row yet" in caplog.text
    keepers = [RecordKeeper(broker, pool), RecordKeeper(broker, pool)]
    with pytest.raises(Exception, match="away"):
        keepers[0].look()

    # Then two monitors that write it later write it once
    kept = broker.commands.lrange(broker.keys.admin_audit, 0, -1)
    open_again(away)
    keepers[0].look()
    for packed in kept:
        broker.commands.rpush(broker.keys.admin_audit, packed)
    keepers[1].look()
    assert broker.commands.llen(broker.keys.admin_audit) == 0
    (row,) = listed(admin)
    assert (row["route"], row["status"], row["parameters"]) == (PAUSE, 200, {"queue": "email"})
    assert row["written_at"] > row["answered_at"]
    assert broker.audit().clean


def test_a_change_does_not_wait_for_a_server_that_hangs(
    broker: FairBroker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(audit_entry, "WRITE_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hanging = Database(f"postgresql://x@127.0.0.1:{silent.getsockname()[1]}/x")
        with admin_of(broker, hanging) as client:
            assert data(client.post("/admin/queues/email/pause"))["paused"] is True

    assert "no answer within 0.05 s" in caplog.text
    (packed,) = broker.commands.lrange(broker.keys.admin_audit, 0, -1)
    assert AdminChange.unpacked(packed).status == 200


def test_what_nothing_can_keep_is_in_the_log(pool: Database, caplog: pytest.LogCaptureFixture, away: str) -> None:
    nowhere = FairBroker(url="redis://127.0.0.1:1/0", namespace="x", middleware=[])
    with admin_of(nowhere, pool) as client:
        refusal(client.post("/admin/actors/feed/pause"), 503)
    nowhere.close()

    row = json.loads(caplog.records[-1].getMessage().partition("will get none: ")[2])
    assert (row["route"], row["status"]) == ("/admin/actors/{actor}/pause", 503)


def test_a_monitor_that_dies_in_the_middle_leaves_word_of_what_was_begun(viewer: Client, audit: AdminAudit) -> None:
    begun = change(route="/admin/dead/discard", parameters={})

    asyncio.run(AuditEntry(audit, begun).begin(DeadChoice(queue="email")))

    (row,) = listed(viewer)
    assert (row["status"], row["answered_at"], row["parameters"]) == (None, None, {"queue": "email"})


def test_what_is_written_late_undoes_nothing(viewer: Client, audit: AdminAudit) -> None:
    asked = change()
    audit.write(asked.done({"paused": True}))

    audit.write(asked)
    audit.write(asked.refused(500, "no"))

    assert [row["answer"] for row in listed(viewer)] == [{"paused": True}]


def test_a_row_that_cannot_be_written_holds_up_no_other(
    viewer: Client, broker: FairBroker, audit: AdminAudit, caplog: pytest.LogCaptureFixture
) -> None:
    broker.commands.rpush(broker.keys.admin_audit, b"nonsense")
    audit.keep(change(role="nobody's"))
    audit.keep(change())

    assert audit.write_kept() == 1

    assert len(listed(viewer)) == 1
    assert broker.commands.llen(broker.keys.admin_audit) == 0
    assert "nonsense" in caplog.text
    assert "nobody's" in caplog.text


def test_old_rows_are_forgotten(viewer: Client, broker: FairBroker, pool: Database, audit: AdminAudit) -> None:
    days = settings().admin_audit_days
    recent, old = (change(at=datetime.now(UTC) - timedelta(days=age)) for age in (days - 1, days + 1))
    for one in (recent, old, replace(old, id=uuid4())):
        audit.write(one)

    RecordKeeper(broker, pool).look()

    assert [row["id"] for row in listed(viewer)] == [str(recent.id)]
