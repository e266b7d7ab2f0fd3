"""A real Alertmanager suppresses what each of the shipped inhibitions says, and nothing beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from alert_routes import SHIPPED, AlertmanagerClient, alert_named, matches
from alert_rules import ALERTS
from http_client import Client
from wait import eventually
from watching import RunAlertmanager

RULES: list[dict[str, Any]] = SHIPPED["inhibit_rules"]
Labels = dict[str, str]


@pytest.fixture(scope="module")
def alertmanager(run_alertmanager: RunAlertmanager) -> Iterator[AlertmanagerClient]:
    # With the shipped inhibitions; nobody is told.
    configuration = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}], "inhibit_rules": RULES}
    with run_alertmanager(json.dumps(configuration)) as server, Client(server.url) as client:
        yield AlertmanagerClient(client)


def pairs_of(number: int) -> Iterator[tuple[Labels, Labels]]:
    """Every alert that a rule lets suppress another one, and that one; each pair in a fleet of its own."""
    rule = RULES[number]
    fleet_of_all = "namespace" not in rule.get("equal", ())
    for place, (source, target) in enumerate(product(ALERTS, ALERTS)):
        fleet = {"namespace": f"fleet-{number}-{place}"}
        first, second = source.fired(**({} if fleet_of_all else fleet)), target.fired(**fleet)
        same = all(first.get(label, "") == second.get(label, "") for label in rule.get("equal", ()))
        if same and matches(rule["source_matchers"], first) and matches(rule["target_matchers"], second):
            yield first, second


@pytest.mark.parametrize("number", range(len(RULES)), ids=lambda number: RULES[number]["source_matchers"][0])
def test_each_inhibition_suppresses_what_it_names(alertmanager: AlertmanagerClient, number: int) -> None:
    # Given alerts that a rule may suppress, each with one beside it to which the rule does not apply
    pairs = list(pairs_of(number))
    assert pairs, "no alert is named by the rule, or none by its other half"
    others = [target | beside for _, target in pairs if (beside := unlike(RULES[number], target))]
    targets = [target for _, target in pairs]
    none: dict[frozenset[tuple[str, str]], list[str]] = {key(labels): [] for labels in [*targets, *others]}
    alertmanager.fire(*targets, *others)
    eventually(lambda: none.items() <= alertmanager.inhibitors().items())

    # When what suppresses them fires
    sources = list({key(source): source for source, _ in pairs}.values())
    alertmanager.fire(*sources)
    try:
        # Then each is suppressed by that, and what stands beside it is not
        eventually(lambda: {key(source) for source in sources} <= set(alertmanager.known()))
        known = alertmanager.known()
        suppressed = {key(target): [known[key(source)]["fingerprint"]] for source, target in pairs}
        eventually(lambda: (none | suppressed).items() <= alertmanager.inhibitors().items())
    finally:
        # And goes on once that is over
        alertmanager.end(*sources)
    eventually(lambda: none.items() <= alertmanager.inhibitors().items())


def key(labels: Labels) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def unlike(rule: dict[str, Any], target: Labels) -> Labels:
    """What makes an alert one that the rule does not mean, {} where it means all."""
    equal = rule.get("equal", ())
    if "queue" in equal and "queue" in target:
        return {"queue": "another"}
    return {"namespace": f"not-{target['namespace']}"} if "namespace" in equal else {}


def test_a_watchdog_and_what_wakes_somebody_by_itself_are_never_suppressed() -> None:
    # Given what is about the servers themselves, on which all else depends
    alone = [
        alert_named(name).fired() for name in ("JobfleetWatchdog", "JobfleetMonitorDown", "JobfleetMetricsMissing")
    ]

    suppressed = [alert for alert, rule in product(alone, RULES) if matches(rule["target_matchers"], alert)]

    assert suppressed == []


def test_no_inhibition_names_an_alert_or_a_family_that_is_not_there() -> None:
    known = {"alertname": {a.name for a in ALERTS}, "family": {a.labels["family"] for a in ALERTS}}
    named = [
        (label, value)
        for rule in RULES
        for matcher in rule["source_matchers"] + rule["target_matchers"]
        for label in known
        if matcher.startswith(f"{label}=")
        for value in matcher.partition('"')[2].rstrip('"').split("|")
    ]

    assert named
    assert [(label, value) for label, value in named if value not in known[label]] == []
