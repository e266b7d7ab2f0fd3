"""The command ``jobfleet monitor`` and its HTTP, in real processes."""

from __future__ import annotations

import socket

import dramatiq
import pytest
from admin_site import PAUSE, change, data
from alerts_told import alert, notification
from command import refused, run
from http_client import Client
from monitors import client_of, monitor, page
from wait import eventually
from webhook_receiver import WebhookReceiver

from jobfleet.broker import FairBroker
from jobfleet.middleware.database import Database
from jobfleet.middleware.job_log import JobLog
from jobfleet.monitoring.admin_audit import AdminAudit

TOKEN = "sesame"


@pytest.fixture
def environment(fleet_environment: dict[str, str]) -> dict[str, str]:
    return {**fleet_environment, "JOBFLEET_ADMIN_TOKEN": TOKEN}


def test_counters_go_on_through_restarts_and_are_those_of_every_monitor(
    environment: dict[str, str], broker: FairBroker
) -> None:
    # Given a fleet with two monitors
    broker.add_middleware(JobLog())

    @dramatiq.actor(broker=broker, queue_name="email")
    def good(*, tenant_id: str) -> None: ...

    with monitor(environment) as first, monitor(environment) as second:
        one, two = client_of(first, TOKEN), client_of(second, TOKEN)
        worker = dramatiq.Worker(broker, worker_threads=2, worker_timeout=100)
        worker.start()
        try:
            # When jobs run, one monitor is killed, and more jobs run
            for tenant in "abc":
                good.send(tenant_id=tenant)
            eventually(lambda: done(one) == 3)
            eventually(lambda: one.get("/readyz").status_code == 200)
            first.kill()
            for tenant in "abc":
                good.send(tenant_id=tenant)
            eventually(lambda: done(two) == 6)
        finally:
            worker.stop()

        # Then the one that is left has all of them, in the counters and in the log
        eventually(lambda: lag(two) == 0, timeout=60)
        with two:
            assert len(two.get("/admin/jobs?status=completed").json()["data"]["jobs"]) == 6
            counted = page(two).counters()

        # And a new one counts on from there
        with monitor(environment) as third, client_of(third, TOKEN) as three:
            eventually(lambda: page(three).counters() == counted)
            third.terminate()
            assert third.wait().status == 0
        second.terminate()
        assert second.wait().status == 0


def done(client: Client) -> float:
    seen = page(client).series("jobfleet_jobs_processed_total", "actor", "outcome")
    return seen.get(("good", "completed"), 0)


def lag(client: Client) -> float:
    return page(client).value("jobfleet_journal_lag_entries")


def test_it_refuses_to_listen_where_it_must_not_or_cannot(fleet_environment: dict[str, str]) -> None:
    refused(run(fleet_environment, "monitor", "--host", "0.0.0.0", "--port", "0"), "0.0.0.0", "JOBFLEET_ADMIN_TOKEN")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        refused(run(fleet_environment, "monitor", "--port", port), port, "in use", "--port")
        refused(run({**fleet_environment, "JOBFLEET_MONITOR_PORT": port}, "monitor"), port, "JOBFLEET_MONITOR_PORT")


def test_it_writes_what_had_to_wait_and_tells_people_of_alerts(environment: dict[str, str], broker: FairBroker) -> None:
    # Given a change that was made while PostgreSQL was away, and somebody who wants to know of alerts
    AdminAudit(Database(environment["DATABASE_URL"]), broker).keep(change())
    with WebhookReceiver() as chat:
        told = {"JOBFLEET_ALERTS_TOKEN": "ring", "JOBFLEET_ALERT_URLS": f"json://127.0.0.1:{chat.port}/hook"}

        # When a monitor starts and Alertmanager tells it of an alert
        with monitor({**environment, **told}) as process, client_of(process, "ring") as alertmanager:
            assert alertmanager.post("/alerts", json=notification(alert())).status_code == 200

            # Then both are stored, and the alert is passed on
            with client_of(process, TOKEN) as admin:
                eventually(lambda: [row["route"] for row in data(admin.get("/admin/audit"))["changes"]] == [PAUSE])
                eventually(
                    lambda: [row["passed_on"] for row in data(admin.get("/admin/alerts"))["alerts"]] == ["firing"]
                )
    assert [request.path for request in chat.requests] == ["/hook"]
