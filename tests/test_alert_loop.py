"""The whole loop, every part real: a job fails, somebody is told; it is replayed, and they are told that all is well."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from dramatiq import Message
from http_client import Client
from processes import Process
from wait import eventually
from watching import RunAlertmanager, RunPrometheus
from webhook_receiver import WebhookReceiver

from jobfleet.broker import FairBroker
from jobfleet.cli.embedded_prometheus import EmbeddedPrometheus
from jobfleet.cli.free_port import free_port
from jobfleet.cli.watch_configuration import alertmanager_configuration, prometheus_configuration

HERE = Path(__file__).parent
TOKEN, ALERTS_TOKEN = "sesame", "barley"
ALERT = {"alertname": "JobfleetDeadLetterGrowing", "queue": "report"}
#: How often Prometheus and Alertmanager look; the rules are the shipped ones, with all their minutes. On a busy machine
#: a shorter one may be over before the monitor has answered.
LOOK = "1s"
PATIENCE = 60.0
#: Seconds within which people know: half a minute from a death, and from the end of what they were told.
PROMISED = 30.0


class Loop:
    """A fleet with an application, and everything that watches it."""

    def __init__(self, monitor: Client, prometheus: EmbeddedPrometheus, receiver: WebhookReceiver, books: Path) -> None:
        self.monitor, self._prometheus, self._receiver, self.books = monitor, prometheus, receiver, books

    def sees(self, query: str) -> bool:
        """Whether a query returns anything in Prometheus."""
        with Client(self._prometheus.url) as client:
            return bool(client.get("/api/v1/query", params={"query": query}).json()["data"]["result"])

    def told(self, status: str) -> list[dict[str, Any]]:
        """What the receiver was told of our alert."""
        posted = [json.loads(request.body) for request in self._receiver.requests]
        alerts = [alert for body in posted for alert in body["alerts"]]
        return [alert for alert in alerts if alert["status"] == status and ALERT.items() <= alert["labels"].items()]

    def statuses(self) -> set[str]:
        """How our alert stands by what the monitor has written down: one row for each time that it fired."""
        return {row["status"] for row in self._rows()}

    def moments(self, column: str) -> list[float]:
        """When the monitor has written something down of our alert, seconds since the epoch."""
        return [datetime.fromisoformat(row[column]).timestamp() for row in self._rows()]

    def _rows(self) -> list[dict[str, Any]]:
        found = self.monitor.get("/admin/alerts", params={"name": ALERT["alertname"], "queue": ALERT["queue"]}).json()
        rows: list[dict[str, Any]] = found["data"]["alerts"]
        return rows


@pytest.fixture
def loop(
    fleet_environment: dict[str, str],
    tmp_path: Path,
    run_prometheus: RunPrometheus,
    run_alertmanager: RunAlertmanager,
) -> Iterator[Loop]:
    """A fleet as ``jobfleet up`` runs it, and the shipped rules and routes."""
    books, token, port = tmp_path / "books", tmp_path / "token", free_port()
    token.write_text(ALERTS_TOKEN)
    environment = {
        **fleet_environment,
        "PYTHONPATH": str(HERE),
        "BOOKS_FILE": str(books),
        "JOBFLEET_MONITOR_PORT": str(port),
        "JOBFLEET_ADMIN_TOKEN": TOKEN,
        "JOBFLEET_ALERTS_TOKEN": ALERTS_TOKEN,
    }
    with ExitStack() as stack:
        fleet = stack.enter_context(Process(["jobfleet", "up", "loop_actors", "--threads", "2"], environment))
        receiver = stack.enter_context(WebhookReceiver())
        authorized = {"authorization": {"credentials_file": str(token)}}
        told: dict[str, list[dict[str, Any]]] = {
            "monitor": [{"url": f"http://127.0.0.1:{port}/alerts", "http_config": authorized}],
            "chat": [{"url": receiver.url}],
        }
        alertmanager = stack.enter_context(run_alertmanager(alertmanager_configuration(told, wait=LOOK)))
        seen = prometheus_configuration([f"127.0.0.1:{port}"], [alertmanager.address], interval=LOOK)
        prometheus = stack.enter_context(run_prometheus(seen, alertmanagers=1))
        monitor = stack.enter_context(Client(f"http://127.0.0.1:{port}", TOKEN))
        fleet.says("metrics at", PATIENCE)
        yield Loop(monitor, prometheus, receiver, books)


def test_a_failing_job_is_told_of_and_after_its_replay_so_is_the_end(loop: Loop, broker: FairBroker) -> None:
    # Given a fleet that Prometheus has seen before anything failed
    eventually(
        lambda: loop.sees('count_over_time(queue:jobfleet_dead_lettered:total{queue="report"}[1m]) > 1'), PATIENCE
    )
    assert not loop.told("firing") and not loop.statuses()

    # When a job fails for good
    job_id = send(broker)

    # Then somebody is told of it, and the monitor has it written down
    eventually(lambda: loop.told("firing"), PATIENCE)
    (alert,) = loop.told("firing")[:1]
    assert alert["annotations"]["runbook_url"].endswith("docs/runbook.md#jobfleetdeadlettergrowing")
    eventually(lambda: "firing" in loop.statuses(), PATIENCE)
    died = loop.monitor.get(f"/admin/dead/{job_id}").json()["data"]["failed_ms"] / 1000
    assert 0 <= min(loop.moments("received_at")) - died < PROMISED

    # When what it needs is there and an operator replays it
    ended = len(loop.told("resolved"))
    loop.books.write_text("in balance")
    replayed = time.time()
    answer = loop.monitor.post("/admin/dead/replay", json={"queue": "report"})
    assert answer.json()["data"]["job_ids"] == [job_id]

    # Then it completes, and as nothing is dead any more everybody is told that it is over
    eventually(lambda: loop.monitor.get(f"/admin/jobs/{job_id}").json()["data"]["status"] == "completed", PATIENCE)
    eventually(lambda: len(loop.told("resolved")) > ended, PATIENCE)
    eventually(lambda: loop.statuses() == {"resolved"}, PATIENCE)
    assert 0 <= max(loop.moments("changed_at")) - replayed < PROMISED


def send(broker: FairBroker) -> str:
    """Send the job as an application does that knows its name."""
    message: Message[Any] = Message(
        queue_name="report", actor_name="close_books", args=(), kwargs={"tenant_id": "acme"}, options={"max_retries": 0}
    )
    return broker.enqueue(message).message_id
