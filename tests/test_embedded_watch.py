"""Prometheus and Alertmanager as embedded servers: configured as told, found by each other, gone with their owner."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from http_client import Client
from process_tree import all_gone
from processes import Process, bare_environment
from wait import eventually
from watching import RunAlertmanager, RunPrometheus
from webhook_receiver import WebhookReceiver

from jobfleet.broker.errors import ConfigurationError
from jobfleet.cli.embedded_alertmanager import EmbeddedAlertmanager
from jobfleet.cli.embedded_prometheus import EmbeddedPrometheus

#: Servers that run until their owner is killed.
OWNER = """
import sys, time
from pathlib import Path
from jobfleet.cli.embedded_alertmanager import EmbeddedAlertmanager
from jobfleet.cli.embedded_prometheus import EmbeddedPrometheus
home, route = Path(sys.argv[1]), sys.argv[2]
with EmbeddedAlertmanager(home / "alerts", route) as alerts, EmbeddedPrometheus(home / "metrics", "{}") as metrics:
    print(alerts.pid, metrics.pid, flush=True)
    time.sleep(600)
"""

NOBODY = json.dumps({"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]})


def test_an_alert_goes_its_way_from_a_rule_to_a_receiver(
    tmp_path: Path, run_prometheus: RunPrometheus, run_alertmanager: RunAlertmanager
) -> None:
    # Given a rule that holds, a Prometheus that knows it and an Alertmanager with somebody to tell
    rule = {"alert": "Anything", "expr": "vector(42)", "labels": {"severity": "none"}}
    rules = tmp_path / "rules.yml"
    rules.write_text(json.dumps({"groups": [{"name": "test", "interval": "1s", "rules": [rule]}]}))
    with WebhookReceiver() as receiver:
        telling = {"name": "test", "webhook_configs": [{"url": receiver.url}]}
        route = {"receiver": "test", "group_wait": "0s"}
        with (
            run_alertmanager(json.dumps({"route": route, "receivers": [telling]})) as alertmanager,
            # When Prometheus starts
            run_prometheus(scraping(alertmanager, rule_files=[str(rules)]), alertmanagers=1) as prometheus,
        ):
            # Then the alert arrives
            eventually(lambda: receiver.requests)
            told = json.loads(receiver.requests[0].body)
            assert [alert["labels"]["alertname"] for alert in told["alerts"]] == ["Anything"]

            # And what Prometheus scrapes can be asked for
            eventually(lambda: value(prometheus, "sum(alertmanager_alerts_received_total{status='firing'})"))


def scraping(alertmanager: EmbeddedAlertmanager, **more: Any) -> str:
    """A configuration with one Alertmanager, which is told of alerts and scraped."""
    targets = [{"targets": [alertmanager.address]}]
    return json.dumps(
        {
            "global": {"scrape_interval": "250ms"},
            "alerting": {"alertmanagers": [{"static_configs": targets}]},
            "scrape_configs": [{"job_name": "alertmanager", "static_configs": targets}],
            **more,
        }
    )


def value(prometheus: EmbeddedPrometheus, query: str) -> float:
    """What a query returns, 0 when that is nothing."""
    with Client(prometheus.url) as client:
        found = client.get("/api/v1/query", params={"query": query}).json()["data"]["result"]
    return float(found[0]["value"][1]) if found else 0.0


def test_a_configuration_can_be_a_file_of_somebody_elses(tmp_path: Path, run_alertmanager: RunAlertmanager) -> None:
    # Given a configuration that names a file beside it
    (tmp_path / "words.tmpl").write_text('{{ define "words" }}some{{ end }}')
    shipped = tmp_path / "shipped.yml"
    shipped.write_text(json.dumps({"templates": ["*.tmpl"], **json.loads(NOBODY)}))

    with run_alertmanager(shipped) as server, Client(server.url) as client:
        # When it is used, and the server started again
        url = server.url
        server.restart()

        # Then it is the one that is in force, at the same address
        assert server.url == url
        assert "*.tmpl" in client.get("/api/v2/status").json()["config"]["original"]


@pytest.mark.parametrize("kind", [EmbeddedPrometheus, EmbeddedAlertmanager])
def test_a_wrong_configuration_is_one_clear_sentence(
    tmp_path: Path, kind: type[EmbeddedPrometheus | EmbeddedAlertmanager], watch_programs: None
) -> None:
    server = kind(tmp_path / "server", "nonsense: yes")
    with pytest.raises(ConfigurationError, match="field nonsense not found"):
        server.start()

    assert server.pid is None


@pytest.mark.parametrize(
    ("kind", "package"), [(EmbeddedPrometheus, "prometheus"), (EmbeddedAlertmanager, "prometheus-alertmanager")]
)
def test_a_missing_program_says_what_to_install(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[EmbeddedPrometheus | EmbeddedAlertmanager],
    package: str,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ConfigurationError, match=f"is not installed: apt-get install {package} "):
        kind(tmp_path / "server", NOBODY).start()

    assert not (tmp_path / "server").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent was killed")
def test_they_die_with_an_owner_that_is_killed(tmp_path: Path, watch_programs: None) -> None:
    with Process(["python", "-c", OWNER, str(tmp_path), NOBODY], bare_environment()) as owner:
        eventually(lambda: owner.output.endswith("\n"), timeout=60)
        servers = [int(pid) for pid in owner.output.split()]
        owner.kill()
        assert owner.wait().status == -signal.SIGKILL

        eventually(lambda: all_gone(servers))
