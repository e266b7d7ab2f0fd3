"""The monitor's HTTP: that it says what is so, and does what it is told to."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import dramatiq
import pytest
from admin_site import TOKENS, data, monitored, refusal
from command import SmallFleet
from dramatiq import Worker
from http_client import Client
from published_limits import published
from scraped import Scraped
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.broker.limits import Limits
from jobfleet.broker.settings import settings
from jobfleet.middleware.database import Database
from jobfleet.middleware.tenant_limits import TenantLimits
from jobfleet.monitoring.admin.role import Role
from jobfleet.monitoring.admin.routes import ROUTES
from jobfleet.monitoring.admin.server import AdminServer
from jobfleet.monitoring.queue_stats import queue_stats

#: The trace context of a request.
TRACED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_open_routes_answer_anyone(served: str) -> None:
    with Client(served) as client:
        for path in ("/metrics", "/healthz", "/readyz", "/openapi.json"):
            assert client.get(path).status_code == 200, path
        page = client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=")
    assert Scraped(page.content).value("jobfleet_source_up", source="redis") == 1


def test_what_is_not_there_is_told_as_json(admin: Client) -> None:
    assert "/openapi.json" in refusal(admin.get("/nowhere"), 404)
    assert "method" in refusal(admin.ask("DELETE", "/metrics"), 405)
    assert "no queue 'emial'" in refusal(admin.post("/admin/queues/emial/pause"), 404)
    assert "no job 'none'" in refusal(admin.get("/admin/jobs/none"), 404)
    assert "no dead letter 'none'" in refusal(admin.get("/admin/dead/none"), 404)


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/admin/jobs?status=lost", "status"),
        ("/admin/jobs?limit=0", "limit"),
        ("/admin/jobs?since=yesterday", "since"),
        ("/admin/jobs?until=2026-01-01T00:00:00", "until"),
        ("/admin/jobs?tenant=%00", "NUL"),
        ("/admin/jobs/%00", "NUL"),
        ("/admin/tenants?paused=perhaps", "paused"),
        ("/admin/jobs?colour=red", "colour"),
        ("/admin/dead?limit=many", "limit"),
    ],
)
def test_a_value_that_is_not_allowed_is_named(viewer: Client, path: str, named: str) -> None:
    assert named in refusal(viewer.get(path), 422)


def test_a_body_that_is_none_is_refused(admin: Client) -> None:
    assert "no JSON" in refusal(admin.post("/admin/dead/replay", data=b"{"), 400)
    assert "larger" in refusal(admin.post("/admin/dead/replay", data=b" " * 70_000), 413)
    assert "give either" in refusal(admin.post("/admin/dead/replay", json={}), 422)
    assert "give either" in refusal(admin.post("/admin/dead/discard", json={"job_ids": ["a"], "queue": "email"}), 422)
    assert refusal(admin.post("/admin/dead/discard", json=[1]), 422)


def test_queue_stats_are_as_the_design_pins_them(admin: Client, broker: FairBroker) -> None:
    @dramatiq.actor(broker=broker, queue_name="zoo")
    def feed() -> None: ...

    feed.send()
    feed.send_with_options(delay=60_000)

    rows = data(admin.get("/admin/queues/stats"))

    assert rows == queue_stats(broker)
    assert [row["queue"] for row in rows] == [*settings().queues, "zoo"]
    names = ["queue", "waiting", "active", "completed", "failed", "delayed", "total"]
    assert list(rows[-1]) == names
    assert list(rows[-1].values()) == ["zoo", 1, 0, 0, 0, 1, 2]


def test_queues_scale_by_what_could_run(viewer: Client, admin: Client, broker: FairBroker) -> None:
    # Given a tenant with two slots and five jobs, one with many slots and three, and jobs of the system
    broker.add_middleware(TenantLimits())
    wide = Limits(plan="wide", concurrency=100, per_minute=100, weight=1, max_backlog=100)
    broker.limits.publish({"free": Limits("free", 2, 100, 1, 100)}, {"wide": wide}, version=1)

    @dramatiq.actor(broker=broker, queue_name="zoo")
    def feed(**tenant: str) -> None: ...

    assert data(viewer.get("/scale/email"))["value"] == 0
    feed.send_with_options(kwargs={"tenant_id": "wide"}, delay=20_000)
    assert data(viewer.get("/scale/zoo")) == {"queue": "zoo", "running": 0, "ready": 0, "due_soon": 1, "value": 1}
    for tenant, jobs in (("small", 5), ("wide", 3)):
        for _ in range(jobs):
            feed.send(tenant_id=tenant)

    # Then the first one's limit counts
    assert data(viewer.get("/scale/zoo"))["value"] == 2 + 3

    # And a queue that is paused needs no workers
    data(admin.post("/admin/queues/zoo/pause"))
    assert data(viewer.get("/scale/zoo"))["value"] == 0
    data(admin.post("/admin/queues/zoo/resume"))
    assert broker.paused() == []


def test_jobs_are_found_page_by_page_and_told_in_full(
    viewer: Client, admin: Client, broker: FairBroker, pool: Database
) -> None:
    # Given a fleet that has run seven jobs, some of which failed
    fleet = SmallFleet(broker, pool)
    with fleet.running():
        good = [fleet.good.send(tenant_id=1, secret="sesame").message_id for _ in range(5)]
        arguments = [{"tenant_id": 2, "number": number} for number in (1, 1, 2)]
        bad = [fleet.broken.send_with_options(kwargs=given, traceparent=TRACED).message_id for given in arguments]

    # When they are looked for
    pages: list[list[str]] = []
    after: dict[str, str] = {}
    while True:
        page = data(viewer.get("/admin/jobs", params={"tenant": "1", "limit": 2, **after}))
        pages.append([job["job_id"] for job in page["jobs"]])
        if page["next"] is None:
            break
        after = {"after": page["next"]}

    # Then each is on one page
    assert sorted(job_id for page in pages for job_id in page) == sorted(good)
    assert [len(page) for page in pages] == [2, 2, 1]
    failed = data(viewer.get("/admin/jobs", params={"status": "failed", "queue": "webhook", "type": "broken"}))
    assert {job["job_id"] for job in failed["jobs"]} == set(bad)
    assert "no job 'gone'" in refusal(viewer.get("/admin/jobs", params={"after": "gone"}), 400)

    # And one of them is told with its runs, without its secret
    job = data(viewer.get(f"/admin/jobs/{good[0]}"))
    assert (job["status"], job["payload"]["secret"], len(job["runs"])) == ("completed", "[redacted]", 1)
    assert refusal(admin.post(f"/admin/jobs/{good[0]}/cancel"), 404)
    assert "dead letter" in refusal(admin.post(f"/admin/jobs/{bad[0]}/cancel"), 409)
    assert data(viewer.get(f"/admin/jobs/{bad[0]}"))["trace_id"] == TRACED.split("-")[1]

    # And the dead letters are grouped, and go as they are told to
    grouped = data(viewer.get("/admin/dead/groups", params={"queue": "webhook"}))
    assert (grouped["looked_at"], grouped["more"]) == (3, False)
    assert [(group["count"], group["error"]) for group in grouped["groups"]] == [
        (2, "ValueError: endpoint 1 is broken"),
        (1, "ValueError: endpoint 2 is broken"),
    ]
    letter = data(viewer.get(f"/admin/dead/{bad[2]}"))
    assert "ValueError" in letter["traceback"]
    assert "message" not in letter
    chosen = {"error": "endpoint 1"}
    dry = data(admin.post("/admin/dead/replay", json={**chosen, "dry_run": True}))
    assert (dry["dry_run"], dry["matched"], set(dry["job_ids"])) == (True, 2, set(bad[:2]))
    assert len(data(viewer.get("/admin/dead"))) == 3, "a dry run changes nothing"
    assert set(data(admin.post("/admin/dead/replay", json=chosen))["job_ids"]) == set(bad[:2])
    gone = data(admin.post("/admin/dead/discard", json={"job_ids": [bad[2], "unknown"]}))
    assert (gone["matched"], gone["job_ids"]) == (1, [bad[2]])
    fleet.mended = True
    with fleet.running():
        eventually(lambda: data(viewer.get("/admin/dead")) == [])
    assert broker.audit().clean


def test_a_waiting_job_is_explained_hurried_and_cancelled(viewer: Client, admin: Client, broker: FairBroker) -> None:
    @dramatiq.actor(broker=broker, queue_name="zoo")
    def feed() -> None: ...

    job_id = feed.send_with_options(delay=60_000).message_id

    assert data(viewer.get(f"/admin/jobs/{job_id}"))["status"] == "scheduled", "the log does not know it yet"
    assert data(viewer.get(f"/admin/jobs/{job_id}/why"))
    assert data(admin.post(f"/admin/jobs/{job_id}/run-now"))["outcome"] == "ready"
    assert "waiting" in refusal(admin.post(f"/admin/jobs/{job_id}/run-now"), 409)
    assert data(admin.post(f"/admin/jobs/{job_id}/cancel"))["outcome"] == "cancelled"
    assert broker.stats(["zoo"])[0].total == 0


def test_tenants_get_plans_limits_and_pauses(viewer: Client, admin: Client, broker: FairBroker) -> None:
    assert data(viewer.get("/admin/tenants/acme"))["limits"]["plan"] == "free"
    assert data(admin.post("/admin/tenants/acme/plan", json={"plan": "pro"}))["limits"]["concurrency"] == 10
    own = data(admin.post("/admin/tenants/acme/limits", json={"concurrency": 3}))
    assert (own["overrides"], own["limits"]["concurrency"]) == ({"concurrency": 3}, 3)
    assert data(admin.post("/admin/tenants/acme/pause"))["limits"]["paused"] is True
    assert published(broker, "acme") == ["pro", 3, 200, 4, 100_000, True], "the fleet knows at once"
    assert data(admin.post("/admin/tenants/acme/resume"))["limits"]["paused"] is False
    data(admin.post("/admin/tenants/other/plan", json={"plan": "pro"}))
    page = data(viewer.get("/admin/tenants", params={"plan": "pro", "limit": 1}))
    assert ([row["tenant_id"] for row in page["tenants"]], page["next"]) == (["acme"], "acme")
    assert "plan" in refusal(admin.post("/admin/tenants/acme/plan", json={"plan": "gold"}), 400)
    assert "concurrency" in refusal(admin.post("/admin/tenants/acme/limits", json={"concurrency": 0}), 400)
    assert "plan" in refusal(admin.post("/admin/tenants/acme/plan", json={}), 422)


def test_actors_are_paused_and_jobs_cancelled_by_filter(viewer: Client, admin: Client, broker: FairBroker) -> None:
    @dramatiq.actor(broker=broker, queue_name="zoo")
    def feed() -> None: ...

    # One that no worker has served is paused too, it may come with the next version; but it may be a slip
    paused = {"actor": "feed", "paused": True, "known": False, "did_you_mean": None}
    assert data(admin.post("/admin/actors/feed/pause")) == paused
    worker = Worker(broker, worker_threads=1)
    worker.start()
    try:
        eventually(lambda: data(viewer.get("/admin/actors")) == [{"actor": "feed", "queue": "zoo", "paused": True}])
    finally:
        worker.stop()
    for _ in range(3):
        feed.send()
    assert data(admin.post("/admin/actors/feed/pause")) == paused | {"known": True}
    assert data(admin.post("/admin/actors/fed/pause")) == paused | {"actor": "fed", "did_you_mean": "feed"}
    data(admin.post("/admin/actors/fed/resume"))
    assert data(viewer.get("/admin/paused")) == [{"kind": "actor", "name": "feed"}]
    assert data(admin.post("/admin/actors/feed/resume"))["was_paused"] is True

    dry = data(admin.post("/admin/jobs/cancel", json={"type": "feed", "dry_run": True}))
    assert (dry["matched"], broker.stats(["zoo"])[0].waiting) == (3, 3)
    assert data(admin.post("/admin/jobs/cancel", json={"type": "feed"}))["pending"] == 3
    assert broker.stats(["zoo"])[0].total == 0
    assert "give a queue" in refusal(admin.post("/admin/jobs/cancel", json={}), 400)
    assert "states" in refusal(admin.post("/admin/jobs/cancel", json={"queue": "zoo", "states": ["dead"]}), 422)


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/admin/jobs/cancel", {"queue": "zoo", "dry_run": "no"}, "dry_run"),
        ("/admin/jobs/cancel", {"queue": "zoo", "limit": 5}, "limit"),
        ("/admin/dead/replay", {"queue": "zoo", "limit": "5"}, "limit"),
        ("/admin/dead/discard", {"queue": "zoo", "dry_run": 1}, "dry_run"),
        ("/admin/tenants/acme/limits", {"concurrency": "3"}, "concurrency"),
        ("/admin/tenants/acme/limits", {"concurrency": True}, "concurrency"),
        ("/admin/tenants/acme/plan", {"plan": None}, "plan"),
    ],
)
def test_a_body_says_exactly_what_it_means(admin: Client, path: str, body: dict[str, Any], named: str) -> None:
    assert named in refusal(admin.post(path, json=body), 422)


def test_the_openapi_document_has_every_route(served: str) -> None:
    with Client(served) as client:
        document = client.get("/openapi.json").json()

    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == {(route.method, route.path) for route in ROUTES}
    assert all(
        ("security" in document["paths"][route.path][route.method.lower()]) == (route.role is not Role.ANYONE)
        for route in ROUTES
    )


def test_servers_that_are_away_make_it_unready_but_not_dead(pool: Database) -> None:
    nowhere = FairBroker(url="redis://127.0.0.1:1/0", namespace="x", middleware=[])
    alive = threading.Event()
    alive.set()
    fleet = replace(monitored(nowhere, pool), lives=alive.is_set)
    with AdminServer(fleet, TOKENS, "127.0.0.1", 0) as server, Client(server.url) as client:
        assert client.get("/healthz").status_code == 200
        assert refusal(client.get("/readyz"), 503)
        assert refusal(client.get("/admin/queues/stats", headers={"Authorization": f"Bearer {TOKENS.admin}"}), 503)
        assert Scraped(client.get("/metrics").content).value("jobfleet_source_up", source="redis") == 0
        alive.clear()
        assert refusal(client.get("/healthz"), 503)
    nowhere.close()
