"""Who hears of what, in words that read well: by amtool, and by a real Alertmanager, SMTP server and webhooks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from alert_routes import ALERTMANAGER, CONFIGURATION, SHIPPED, AlertmanagerClient, alert_named, amtool
from alert_rules import ALERTS, UNIT_TESTS, Alert, read
from http_client import Client
from mail_receiver import MailReceiver
from wait import eventually, present
from watching import RunAlertmanager
from webhook_receiver import WebhookReceiver

#: Severity -> who is told, beside the monitor.
TOLD = {
    "critical": ["monitor", "page"],
    "warning": ["monitor", "chat"],
    "info": ["monitor", "nobody"],
    "none": ["watchdog"],
}
TEMPLATES = str(ALERTMANAGER / "templates/*.tmpl")


def test_amtool_has_nothing_to_say() -> None:
    said = amtool("check-config", str(CONFIGURATION))

    assert f"{len(SHIPPED['inhibit_rules'])} inhibit rules" in said
    assert f"{len(SHIPPED['receivers'])} receivers" in said


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.title)
def test_each_alert_reaches_who_must_hear_of_it(alert: Alert) -> None:
    labels = [f"{name}={value}" for name, value in alert.fired(namespace="fleet").items()]

    said = amtool("config", "routes", "test", f"--config.file={CONFIGURATION}", *labels)

    assert said.split() == [",".join(TOLD[alert.labels["severity"]])]


def told_of(name: str) -> dict[str, str]:
    """What an alert says to people, as its unit test has it."""
    return next(
        dict(fired["exp_annotations"])
        for path in UNIT_TESTS
        for case in read(path)["tests"]
        for row in case.get("alert_rule_test", ())
        if row["alertname"] == name
        for fired in row.get("exp_alerts", ())
    )


def notification(status: str, *alerts: dict[str, Any]) -> dict[str, Any]:
    labels = alerts[0]["labels"]
    common = {name: value for name, value in labels.items() if all(a["labels"].get(name) == value for a in alerts)}
    return {
        "status": status,
        "receiver": "page",
        "externalURL": "https://alerts.example.com",
        "groupLabels": {"alertname": labels["alertname"]},
        "commonLabels": common,
        "alerts": list(alerts),
    }


def one(name: str, status: str = "firing", **labels: str) -> dict[str, Any]:
    return {
        "status": status,
        "labels": alert_named(name).fired(**labels),
        "annotations": told_of(name),
        "startsAt": "2026-11-24T18:00:00Z",
        "endsAt": "2026-11-24T18:10:00Z",
    }


def rendered(template: str, data: dict[str, Any], folder: Path) -> str:
    given = folder / "notification.json"
    given.write_text(json.dumps(data))
    text = f'{{{{ template "{template}" . }}}}'
    kind = "html" if template.endswith("html") else "text"
    options = [f"--template.glob={TEMPLATES}", f"--template.data={given}", f"--template.type={kind}"]
    return amtool("template", "render", *options, f"--template.text={text}")


def test_a_subject_says_in_one_line_what_it_is_about(tmp_path: Path) -> None:
    burst, again = one("JobfleetDeadLetterBurst"), one("JobfleetDeadLetterBurst", namespace="shop")
    over = one("JobfleetDeadLetterBurst", "resolved")
    summary = burst["annotations"]["summary"]

    def subject(status: str, *alerts: dict[str, Any]) -> str:
        return rendered("jobfleet.subject", notification(status, *alerts), tmp_path)

    assert summary == "email: 20 dead letters within 15 minutes, more than 5% of its jobs"
    assert subject("firing", burst) == f"[critical] {summary}"
    assert subject("firing", again) == f"[critical] shop, {summary}"
    assert subject("firing", burst, over) == f"[critical] {summary}"
    assert subject("firing", burst, again) == f"[critical] {summary} (and one more)"
    assert subject("firing", burst, again, burst) == f"[critical] {summary} (and more, 3 in all)"
    assert subject("resolved", over) == f"[over] {summary}"


def test_a_link_leads_somewhere_or_is_none(tmp_path: Path) -> None:
    # Given an alert of a Prometheus that knows where Grafana is, and one that does not
    there, nowhere = one("JobfleetDeadLetterGrowing"), one("JobfleetDeadLetterGrowing")
    there["annotations"]["dashboard_url"] = "https://grafana.example.com/d/jobfleet-dead-letters?var-queue=email"
    nowhere["annotations"]["dashboard_url"] = "/d/jobfleet-dead-letters?var-queue=email"

    def words(template: str, alert: dict[str, Any]) -> str:
        return rendered(template, notification("firing", alert), tmp_path)

    # Then the one is linked and the other only named
    assert words("jobfleet.link", there) == there["annotations"]["dashboard_url"]
    assert words("jobfleet.link", nowhere) == "https://alerts.example.com"
    assert f"<{there['annotations']['dashboard_url']}|Dashboard>" in words("jobfleet.slack.text", there)
    assert "Dashboard: /d/jobfleet-dead-letters" in words("jobfleet.slack.text", nowhere)
    assert 'href="https://grafana.example.com/d/jobfleet-dead-letters' in words("jobfleet.mail.html", there)
    assert 'href="/d/' not in words("jobfleet.mail.html", nowhere)


def test_what_an_alert_quotes_is_text_in_a_mail(tmp_path: Path) -> None:
    odd = one("JobfleetDeadLetterGrowing")
    odd["annotations"]["summary"] = "<b>queue</b>: dead letters grew"

    html = rendered("jobfleet.mail.html", notification("firing", odd), tmp_path)

    assert "&lt;b&gt;queue&lt;/b&gt;" in html
    assert "<b>" not in html


@dataclass(frozen=True)
class Ears:
    """Where all that Alertmanager says arrives."""

    alertmanager: AlertmanagerClient
    mail: MailReceiver
    slack: WebhookReceiver
    monitor: WebhookReceiver
    watchdog: WebhookReceiver


@pytest.fixture(scope="module")
def ears(run_alertmanager: RunAlertmanager, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ears]:
    folder = tmp_path_factory.mktemp("alertmanager")
    with (
        MailReceiver() as mail,
        WebhookReceiver() as slack,
        WebhookReceiver() as monitor,
        WebhookReceiver() as watchdog,
    ):
        # As shipped, but for where servers are, and for how long it collects
        text = json.dumps(SHIPPED)
        for shipped, ours in (
            ("localhost:25", f"127.0.0.1:{mail.port}"),
            ("http://localhost:9465/alerts", monitor.url),
            ("http://localhost:9466/watchdog", watchdog.url),
            ("secrets/slack_url", str(folder / "secrets/slack_url")),
        ):
            assert shipped in text
            text = text.replace(shipped, ours)
        text = re.sub(r'"group_(wait|interval)": "\w+"', r'"group_\1": "100ms"', text)
        configuration = folder / "alertmanager.yml"
        configuration.write_text(yaml.safe_dump({**json.loads(text), "templates": [TEMPLATES]}))
        secrets = folder / "secrets"
        secrets.mkdir()
        (secrets / "slack_url").write_text(slack.url)
        (secrets / "monitor_token").write_text("of-the-monitor")
        with run_alertmanager(configuration) as server, Client(server.url) as client:
            yield Ears(AlertmanagerClient(client), mail, slack, monitor, watchdog)


def posted(receiver: WebhookReceiver, name: str, status: str = "firing") -> list[dict[str, Any]]:
    bodies = [json.loads(request.body) for request in receiver.requests]
    return [
        body for body in bodies if body.get("groupLabels", {}).get("alertname") == name and body["status"] == status
    ]


def test_a_page_arrives_by_mail_and_in_the_chat_and_is_taken_back(ears: Ears) -> None:
    # Given an alert for which somebody gets up
    labels, texts = alert_named("JobfleetDeadLetterBurst").fired(), told_of("JobfleetDeadLetterBurst")

    # When it fires
    ears.alertmanager.fire(labels, annotations=texts)

    # Then a mail of two forms arrives
    mail = eventually(lambda: next((m for m in ears.mail.mails if m["Subject"].startswith("[critical]")), None))
    assert mail["Subject"] == f"[critical] {texts['summary']}"
    assert mail["To"] == "oncall@example.com"
    plain, html = (present(mail.get_body((kind,))).get_content() for kind in ("plain", "html"))
    for form in (plain, html):
        assert texts["summary"] in form
        assert "jobfleet dead list --queue email" in form
        assert "docs/runbook.md#jobfleetdeadletterburst" in form
    assert "<" not in plain

    # And a message in the chat, of the form that Slack takes
    body = json.loads(eventually(lambda: next(iter(ears.slack.requests), None)).body)
    (attachment,) = body["attachments"]
    assert body["channel"] == "#jobfleet"
    assert attachment["title"] == f"[critical] {texts['summary']}"
    assert attachment["color"] == "#c62828"
    assert texts["description"] in attachment["text"]

    # And the monitor gets a notification with its token
    eventually(lambda: posted(ears.monitor, "JobfleetDeadLetterBurst"))
    assert {request.headers["authorization"] for request in ears.monitor.requests} == {"Bearer of-the-monitor"}

    # When it is over, then all of them hear of that
    ears.alertmanager.end(labels, annotations=texts)
    over = eventually(lambda: next((m for m in ears.mail.mails if m["Subject"].startswith("[over]")), None))
    assert f"Over: {texts['summary']}" in present(over.get_body(("plain",))).get_content()
    eventually(lambda: posted(ears.monitor, "JobfleetDeadLetterBurst", "resolved"))


def test_a_warning_goes_to_the_team_and_what_is_only_kept_to_the_monitor(ears: Ears) -> None:
    warning, kept = "JobfleetQueuePausedLong", "JobfleetTenantRefusalsRising"
    for name in (warning, kept):
        ears.alertmanager.fire(alert_named(name).fired(), annotations=told_of(name))

    eventually(lambda: posted(ears.monitor, warning) and posted(ears.monitor, kept))
    subject = f"[warning] {told_of(warning)['summary']}"
    mail = eventually(lambda: next((m for m in ears.mail.mails if m["Subject"] == subject), None))
    assert mail["To"] == "team@example.com"
    assert [m["Subject"] for m in ears.mail.mails if told_of(kept)["summary"] in m["Subject"]] == []


def test_the_watchdog_goes_outside_and_to_nobody_else(ears: Ears) -> None:
    name = "JobfleetWatchdog"

    ears.alertmanager.fire(alert_named(name).fired(), annotations=told_of(name))

    eventually(lambda: posted(ears.watchdog, name))
    assert posted(ears.monitor, name) == []
