"""What Alertmanager hands in: stored once, shown, and passed on to people."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest
from admin_site import TOKENS, data, monitored, refusal
from alerts_told import NEVER, alert, notification
from databases import open_again, shut
from http_client import Client
from pydantic import SecretStr
from wait import eventually
from webhook_receiver import Answer, WebhookReceiver

from jobfleet.broker import FairBroker
from jobfleet.broker.errors import ConfigurationError
from jobfleet.broker.settings import settings
from jobfleet.middleware.database import Database
from jobfleet.monitoring.admin.server import AdminServer
from jobfleet.monitoring.alert import Alert
from jobfleet.monitoring.alert_receivers import AlertReceivers
from jobfleet.monitoring.record_keeper import RecordKeeper

SECRET = "open-sesame"


@pytest.fixture
def alertmanager(served: str) -> Iterator[Client]:
    with Client(served, TOKENS.alertmanager) as client:
        yield client


def told(client: Client, *alerts: dict[str, Any]) -> dict[str, int]:
    counts: dict[str, int] = data(client.post("/alerts", json=notification(*alerts)))
    return counts


def listed(client: Client, **filters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data(client.get("/admin/alerts", params=filters))["alerts"]
    return found


def test_an_alert_is_stored_once_and_says_how_it_stands(alertmanager: Client, viewer: Client) -> None:
    # When it fires, is repeated, and is over
    assert told(alertmanager, alert()) == {"stored": 1, "news": 1}
    (first,) = listed(viewer)
    told(alertmanager, alert())
    (repeated,) = listed(viewer)
    told(alertmanager, alert("resolved"))
    (over,) = listed(viewer)

    # Then one row says so
    assert (first["name"], first["severity"], first["status"]) == ("JobfleetDeadLetterGrowing", "warning", "firing")
    assert (first["labels"]["queue"], first["receiver"], first["times"]) == ("email", "monitor", 1)
    assert (first["starts_at"], first["ends_at"]) == ("2026-05-01T10:00:00.123456Z", None)
    assert (repeated["times"], repeated["changed_at"]) == (2, first["changed_at"])
    assert repeated["repeated_at"] > first["repeated_at"]
    assert (over["status"], over["ends_at"], over["times"]) == ("resolved", "2026-05-01T11:00:00.123456Z", 3)
    assert over["received_at"] == first["received_at"] < over["changed_at"]

    # And when it fires again that is another
    told(alertmanager, alert(start="12:00"))
    assert [row["status"] for row in listed(viewer)] == ["firing", "resolved"]


def test_alerts_of_one_notification_are_all_stored_and_found(alertmanager: Client, viewer: Client) -> None:
    queues = ["email", "report", "webhook"]
    critical = alert("resolved", queue="report", labels={"alertname": "JobfleetBrokerDown", "severity": "critical"})
    told(alertmanager, *(alert(queue=queue) for queue in queues), alert(queue="email"), critical)

    pages: list[list[str]] = []
    filters: dict[str, Any] = {"limit": 2}
    while filters.get("after", 0) is not None:
        page = data(viewer.get("/admin/alerts", params=filters))
        pages.append([row["fingerprint"] for row in page["alerts"]])
        filters["after"] = page["next"]

    assert [len(page) for page in pages] == [2, 1]
    assert sorted(name for page in pages for name in page) == [f"c0ffee-{queue}" for queue in queues]
    assert [row["name"] for row in listed(viewer, status="resolved")] == ["JobfleetBrokerDown"], "the last word counts"
    assert len(listed(viewer, name="JobfleetBrokerDown", severity="critical")) == 1
    assert [row["fingerprint"] for row in listed(viewer, queue="webhook")] == ["c0ffee-webhook"]
    assert listed(viewer, since="2026-05-01T00:00:00Z", until="2026-05-02T00:00:00Z") == []


def test_strange_alerts_are_stored_too(alertmanager: Client, viewer: Client) -> None:
    strange = {"alertname": "\0\ud800" + "x" * 3_000, "severity": "é" * 300, "k" * 300: "y" * 20_000}

    told(alertmanager, alert(labels=strange, annotations={"summary": "\0"}, endsAt="9999-12-31T23:59:59-23:00"))
    told(alertmanager, alert("resolved", endsAt="9999-12-31T23:59:59-23:00"))

    (row,) = listed(viewer)
    assert (row["status"], row["ends_at"]) == ("resolved", None)


#: Bodies that are no notification, the status of the refusal, and what it names.
WRONG = [
    (b"{", 400, "JSON"),
    (b"[]", 422, "body"),
    (b"{}", 422, "alerts"),
    (b'{"alerts": 5}', 422, "alerts"),
    (json.dumps(notification(alert(status="lost"))), 422, "alerts.0.status"),
    (json.dumps(notification(alert(startsAt="soon"))), 422, "alerts.0.startsAt"),
    (json.dumps(notification(alert(startsAt=NEVER))), 422, "the year must be"),
    (json.dumps(notification(alert(startsAt="2026-05-01T10:00:00"))), 422, "timezone"),
    (json.dumps(notification(alert(fingerprint=""))), 422, "alerts.0.fingerprint"),
    (json.dumps(notification(alert(labels={"a": 1}))), 422, "alerts.0.labels.a"),
    (b" " * (1024 * 1024 + 1), 413, "1,048,576"),
]


def test_what_is_no_notification_is_refused_and_said_why(alertmanager: Client, viewer: Client) -> None:
    for body, status, named in WRONG:
        assert named in refusal(alertmanager.post("/alerts", data=body), status)
    assert listed(viewer) == []


def test_a_large_group_fits(alertmanager: Client, viewer: Client) -> None:
    assert told(alertmanager, *(alert(queue=f"q{number}") for number in range(1_000)))["stored"] == 1_000
    assert len(listed(viewer, limit=500)) == 500


def test_alertmanager_is_asked_to_try_again_while_nothing_can_be_stored(
    alertmanager: Client, viewer: Client, database_url: str
) -> None:
    shut(database_url)
    assert "away" in refusal(alertmanager.post("/alerts", json=notification(alert())), 503)
    open_again(database_url)
    assert told(alertmanager, alert()) == {"stored": 1, "news": 1}
    assert len(listed(viewer)) == 1


def test_receivers_are_told_of_each_change_and_of_no_repeat(broker: FairBroker, pool: Database) -> None:
    with ExitStack() as stack:
        chat = stack.enter_context(WebhookReceiver())
        receivers = AlertReceivers([SecretStr(f"json://user:{SECRET}@127.0.0.1:{chat.port}/hook")])
        server = stack.enter_context(AdminServer(monitored(broker, pool, receivers), TOKENS, "127.0.0.1", 0))
        client = stack.enter_context(Client(server.url, TOKENS.admin))

        def messages(*expected: str) -> list[dict[str, Any]]:
            said = [json.loads(request.body) for request in chat.requests]
            assert [message["title"] for message in said] == list(expected)
            return said

        firing = "[2 firing] JobfleetDeadLetterGrowing"
        told(client, alert(), alert(queue="report"))
        eventually(lambda: [row["passed_on"] for row in listed(client)] == ["firing", "firing"])
        (message,) = messages(firing)
        assert "Warning: Dead letters of email grow\nqueue=email\nhttps://x/docs/runbook.md#y" in message["message"]
        assert "Dead letters of report grow" in message["message"]
        assert message["type"] == "warning"

        # Repeats say nothing new, of two alerts only the one that is over does
        assert told(client, alert(), alert(queue="report"))["news"] == 0
        told(client, alert("resolved"), alert(queue="report"))
        eventually(lambda: listed(client, queue="email")[0]["passed_on"] == "resolved")
        assert messages(firing, "[1 resolved] JobfleetDeadLetterGrowing")[-1]["type"] == "success"


def test_a_receiver_that_fails_fails_nobody_else_and_is_told_with_the_next_repeat(
    broker: FairBroker, pool: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with ExitStack() as stack:
        broken, good = (stack.enter_context(WebhookReceiver()) for _ in range(2))
        broken.answers = [Answer(status=500), Answer()]
        addresses = [f"json://{SECRET}:{SECRET}@127.0.0.1:{each.port}/{SECRET}" for each in (broken, good)]
        receivers = AlertReceivers(list(map(SecretStr, addresses)))
        server = stack.enter_context(AdminServer(monitored(broker, pool, receivers), TOKENS, "127.0.0.1", 0))
        client = stack.enter_context(Client(server.url, TOKENS.admin))

        # When one of two does not take it
        critical = alert(labels={"alertname": "JobfleetBrokerDown", "severity": "critical"})
        assert told(client, critical)["news"] == 1
        eventually(lambda: "Receiver 1 of alerts" in caplog.text)
        eventually(lambda: len(good.requests) == 1)
        assert json.loads(good.requests[0].body)["type"] == "failure"
        assert [row["passed_on"] for row in listed(client)] == [None]

        # Then the next repeat is passed on
        assert told(client, critical)["news"] == 1
        eventually(lambda: [row["passed_on"] for row in listed(client)] == ["firing"])
        assert len(broken.requests) == 2

    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("urllib3")]
    assert not any(SECRET in message for message in ours)


class Unhurried(AlertReceivers):
    """Receivers that take what they are told when the test lets them."""

    def __init__(self) -> None:
        super().__init__([SecretStr("json://localhost")])
        self.go_on = threading.Event()

    def tell(self, alerts: Sequence[Alert]) -> bool:
        return self.go_on.wait(60)


def test_receivers_that_hang_keep_nobody_from_an_answer(broker: FairBroker, pool: Database) -> None:
    receivers = Unhurried()
    with ExitStack() as stack:
        server = stack.enter_context(AdminServer(monitored(broker, pool, receivers), TOKENS, "127.0.0.1", 0))
        client = stack.enter_context(Client(server.url, TOKENS.admin))
        stack.callback(receivers.go_on.set)

        # When more is told than the server has threads to answer
        for number in range(50):
            assert told(client, alert(queue=f"q{number}"))["news"] == 1

        # Then it answers all the same, and in the end all is passed on
        assert len(listed(client)) == 50
        receivers.go_on.set()
        eventually(lambda: {row["passed_on"] for row in listed(client)} == {"firing"})


def test_addresses_that_cannot_be_used_are_refused_at_the_start_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("JOBFLEET_ALERT_URLS", f"json://localhost/x?to=a,b\n nonsense://{SECRET}")
    assert [len(url) for url in settings().alert_urls] == [len("json://localhost/x?to=a,b"), 11 + len(SECRET)]
    with pytest.raises(ConfigurationError, match="address 2 is none that Apprise") as refused:
        AlertReceivers.configured()
    assert SECRET not in str(refused.value) + caplog.text

    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigurationError, match=r"jobfleet\[apprise\]"):
        AlertReceivers.configured()
    assert not AlertReceivers(), "nobody needs it who tells nobody"


def test_old_alerts_are_forgotten_and_those_that_are_repeated_are_not(
    alertmanager: Client, viewer: Client, broker: FairBroker, pool: Database
) -> None:
    told(alertmanager, alert(), alert(queue="report"))
    with pool.connection() as connection:
        connection.execute("UPDATE alert_notifications SET repeated_at = repeated_at - interval '1 year'")
    told(alertmanager, alert())

    RecordKeeper(broker, pool).look()

    assert [row["labels"]["queue"] for row in listed(viewer)] == ["email"]
