"""A real Prometheus with the shipped configuration makes the links of alerts begin where that says, and sends no more."""

from __future__ import annotations

import json

from alert_routes import AlertmanagerClient, alert_named
from alert_rules import PROMETHEUS, read
from http_client import Client
from wait import eventually
from watching import RunAlertmanager, RunPrometheus

BASES = {"dashboards": "https://grafana.example.com", "runbooks": "https://git.example.com/jobs/jobfleet"}


def test_links_begin_where_the_configuration_says(
    run_prometheus: RunPrometheus, run_alertmanager: RunAlertmanager
) -> None:
    # Given the shipped configuration, in which somebody has said where dashboards and runbook are
    shipped = read(PROMETHEUS / "prometheus.yml")
    nobody = json.dumps({"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]})
    with run_alertmanager(nobody) as alertmanager, Client(alertmanager.url) as client:
        configuration = {
            "global": {"evaluation_interval": "1s", "external_labels": BASES},
            "rule_files": [str(PROMETHEUS / pattern) for pattern in shipped["rule_files"]],
            "alerting": {
                **shipped["alerting"],
                "alertmanagers": [{"static_configs": [{"targets": [alertmanager.address]}]}],
            },
        }

        # When an alert fires
        with run_prometheus(json.dumps(configuration), alertmanagers=1):
            watchdog = frozenset(alert_named("JobfleetWatchdog").fired().items())
            found = eventually(lambda: AlertmanagerClient(client).known().get(watchdog))

    # Then its links are whole, and it has no labels but its own
    told = found["annotations"]
    assert told["dashboard_url"] == "https://grafana.example.com/d/jobfleet-overview"
    assert told["runbook_url"] == "https://git.example.com/jobs/jobfleet/docs/runbook.md#jobfleetwatchdog"
