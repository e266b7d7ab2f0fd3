"""Prometheus takes the rules, each says what a person needs, and none can be forgotten."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from alert_rules import ALERTS, PROMETHEUS, RECORDED, RULES, UNIT_TESTS, Alert, metrics_in, read, rows
from house import HOUSE
from scraped import promtool, scrape

from jobfleet.broker import FairBroker
from jobfleet.middleware.database import Database
from jobfleet.monitoring.exporter import Exporter
from jobfleet.monitoring.metrics import COUNTERS, OUTCOMES, PREFIX, REFUSALS, STATES

SEVERITIES = {"critical", "warning", "info", "none"}
#: What Prometheus itself says of a scrape.
OF_PROMETHEUS = {"up", "scrape_duration_seconds"}


def checked(*arguments: str) -> str:
    done = promtool(*arguments)
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, said
    return said


def test_promtool_has_nothing_to_say() -> None:
    said = checked("check", "rules", "--lint=all", "--lint-fatal", *map(str, RULES))

    assert sum(map(int, re.findall(r"(\d+) rules found", said))) == len(list(rows()))


def test_the_configuration_finds_the_rules() -> None:
    said = checked("check", "config", str(PROMETHEUS / "prometheus.yml"))

    assert f"{len(RULES)} rule files found" in said


@pytest.mark.parametrize("path", UNIT_TESTS, ids=lambda path: path.stem)
def test_rules_fire_when_they_must_and_not_before(path: Any) -> None:
    checked("test", "rules", str(path))


def moments() -> Iterator[tuple[str, int, bool]]:
    """Of each unit test: an alert, a minute, and whether it fires then."""
    for path in UNIT_TESTS:
        for number, case in enumerate(read(path)["tests"]):
            for row in case.get("alert_rule_test", ()):
                minute, fired = int(row["eval_time"].removesuffix("m")), row.get("exp_alerts") or []
                for title in titles(row["alertname"]):
                    window = title.partition(" ")[2]
                    fires = any(alert["exp_labels"].get("window", "") == window for alert in fired)
                    yield f"{path.stem} {number} {title}", minute, fires


def titles(name: str) -> list[str]:
    return [alert.title for alert in ALERTS if alert.name == name]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.title)
def test_each_alert_is_tested_the_minute_before_and_the_minute_of(alert: Alert) -> None:
    seen = {(case, minute): fires for case, minute, fires in moments() if case.endswith(f" {alert.title}")}

    turns = [
        (case, minute) for (case, minute), fires in seen.items() if fires and seen.get((case, minute - 1)) is False
    ]
    if alert.expr == "vector(1)":
        assert any(fires and minute == 0 for (_, minute), fires in seen.items())
    else:
        assert turns, f"no test of {alert.title} has a minute without it and the next one with it: {seen}"


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.title)
def test_each_alert_says_what_a_person_needs(alert: Alert) -> None:
    assert alert.name.startswith("Jobfleet")
    assert {"for", "keep_firing_for"} & set(alert.row)
    assert alert.labels["severity"] in SEVERITIES
    assert alert.labels["family"]
    texts = alert.annotations
    assert set(texts) == {"summary", "description", "runbook_url", "dashboard_url"}
    assert len(texts["summary"]) < 140
    assert alert.name not in texts["summary"]
    assert texts["runbook_url"] == "{{ $externalLabels.runbooks }}/docs/runbook.md#" + alert.name.lower()


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.title)
def test_each_alert_leads_to_a_dashboard_that_is_there(alert: Alert) -> None:
    uids = {json.loads(path.read_text())["uid"] for path in (HOUSE / "grafana/dashboards").glob("*.json")}

    link = re.fullmatch(r"{{ \$externalLabels.dashboards }}/d/([\w-]+)(.*)", alert.annotations["dashboard_url"])
    assert link
    assert link[1] in uids
    assert ("?var-queue={{ $labels.queue | urlquery }}" in link[2]) == alert.is_of_a_queue


def test_no_rule_asks_for_what_nobody_exports(broker: FairBroker) -> None:
    # Given what a monitor exports, and what Prometheus and the rules themselves make
    exporter = Exporter(broker, Database("postgresql://nobody@127.0.0.1:1/none"))
    counters = {f"{PREFIX}{metric.name}_total" for metric in COUNTERS}
    known = scrape(exporter).names | counters | OF_PROMETHEUS | set(RECORDED)

    asked = {name for row in rows() for name in metrics_in(row["expr"])}

    assert {"jobfleet_queue_jobs", "queue:jobfleet_dead_lettered:increase15m", "up"} <= asked
    assert asked - known == set()


def test_no_rule_asks_for_a_label_value_that_there_is_not() -> None:
    # A misspelt one would match nothing, and the alert would stay silent for ever.
    known = {"state": STATES, "outcome": OUTCOMES, "reason": REFUSALS, "source": ("redis", "postgres")}

    asked = [
        (label, value)
        for row in rows()
        for label, values in re.findall(r'(\w+)[=!]~?"([^"]*)"', row["expr"])
        for value in values.split("|")
    ]

    assert {"state", "outcome", "reason", "source", "job"} == {label for label, _ in asked}
    assert [(label, value) for label, value in asked if value not in known.get(label, ("jobfleet-monitor",))] == []


def test_no_sum_counts_a_job_twice_because_two_monitors_export_it() -> None:
    # The largest over monitors comes before any sum; what was recorded has none of their labels any more.
    sums = [match for row in rows() for match in re.findall(r"sum by \([^)]*\) \(\s*(\S+)", row["expr"])]

    assert sums
    assert [inner for inner in sums if inner != "max" and not inner.startswith("queue:")] == []


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.title)
def test_a_scrape_that_fails_does_not_end_an_alert(alert: Alert) -> None:
    # What an alert asks of the fleet is asked of a stretch of time, or of what was recorded so; exported while Redis is
    # away is only how it stands with the sources and what the last audit found.
    always = {"jobfleet_source_up", "jobfleet_jobs_unaccounted"}

    bare = set(
        re.findall(r"\b(jobfleet_\w+)(?:\{[^}]*\})?(?!\w|\{|\[)", re.sub(r"\w+:jobfleet_[\w:]+", "", alert.expr))
    )

    assert bare - always == set()


def test_the_label_namespace_is_never_lost() -> None:
    kept = [labels for row in rows() for labels in re.findall(r"\bby \(([^)]*)\)", row["expr"])]

    assert kept
    assert all(labels.split(", ")[0] == "namespace" for labels in kept)
