"""The shipped Alertmanager configuration, and what Alertmanager is asked and told over its API."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alert_rules import ALERTS, Alert, read
from house import HOUSE
from http_client import Client

ALERTMANAGER = HOUSE / "deploy/alertmanager"
CONFIGURATION = ALERTMANAGER / "alertmanager.yml"
SHIPPED: dict[str, Any] = read(CONFIGURATION)
#: What tells an alert from all others.
Labels = frozenset[tuple[str, str]]


def amtool(*arguments: str) -> str:
    """Run amtool and return what it says; a developer's run without it skips, CI's fails."""
    if shutil.which("amtool") is None:
        if "CI" in os.environ:
            pytest.fail("amtool is not installed (Debian: apt-get install prometheus-alertmanager)")
        pytest.skip("amtool is not installed (Debian: apt-get install prometheus-alertmanager)")
    done = subprocess.run(["amtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def matches(matchers: list[str], labels: dict[str, str]) -> bool:
    """Whether labels meet all matchers, as Alertmanager reads them: a label that is missing is empty."""
    return all(_meets(matcher, labels) for matcher in matchers)


def _meets(matcher: str, labels: dict[str, str]) -> bool:
    found = re.fullmatch(r'(\w+)(=~|!~|!=|=)"(.*)"', matcher)
    assert found, f"{matcher} is no matcher that this test can read"
    name, operator, wanted = found.groups()
    value = labels.get(name, "")
    meets = re.fullmatch(wanted, value) is not None if "~" in operator else value == wanted
    return meets != operator.startswith("!")


def alert_named(name: str, **labels: str) -> Alert:
    """The rule of that name, and of that window where there are several."""
    return next(alert for alert in ALERTS if alert.name == name and labels.items() <= alert.labels.items())


class AlertmanagerClient:
    """What a Prometheus, or a person's browser, asks of an Alertmanager.

    Parameters:
      client: of its HTTP.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def fire(self, *alerts: dict[str, str], annotations: dict[str, str] | None = None) -> None:
        """Alerts with these labels fire from now on."""
        self._post(alerts, annotations or {}, datetime.now(UTC) + timedelta(hours=1))

    def end(self, *alerts: dict[str, str], annotations: dict[str, str] | None = None) -> None:
        """They are over."""
        self._post(alerts, annotations or {}, datetime.now(UTC))

    def known(self) -> dict[Labels, dict[str, Any]]:
        """All alerts that are not over."""
        return {frozenset(alert["labels"].items()): alert for alert in self._client.get("/api/v2/alerts").json()}

    def inhibitors(self) -> dict[Labels, list[str]]:
        """Each of them with the fingerprints of those that suppress it."""
        found = self.known()
        for alert in found.values():
            assert (alert["status"]["state"] == "suppressed") == bool(alert["status"]["inhibitedBy"])
        return {labels: alert["status"]["inhibitedBy"] for labels, alert in found.items()}

    def _post(self, alerts: tuple[dict[str, str], ...], annotations: dict[str, str], ends: datetime) -> None:
        rows = [
            {
                "labels": labels,
                "annotations": annotations,
                "startsAt": (datetime.now(UTC) - timedelta(minutes=1)).isoformat(),
                "endsAt": ends.isoformat(),
            }
            for labels in alerts
        ]
        answer = self._client.post("/api/v2/alerts", json=rows)
        assert answer.ok, answer.text
