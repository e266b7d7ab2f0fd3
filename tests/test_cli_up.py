"""A whole fleet on this machine, and its end."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from admin_site import data
from command import parsed, refused, run
from dramatiq import Message
from http_client import Client
from log_lines import json_lines
from process_tree import all_gone, children, descendants
from processes import Process, bare_environment
from wait import eventually, present

from jobfleet.broker import FairBroker
from jobfleet.broker.fleet_file import FleetFile
from jobfleet.broker.settings import settings
from jobfleet.cli.embedded_watch import EmbeddedWatch

READY = "ready for action"


@pytest.fixture
def home(servers_directory: Path) -> Path:
    """A home of its own, where PostgreSQL's user can reach it."""
    return Path(mkdtemp(dir=servers_directory)) / "home"


@pytest.fixture
def own_servers(home: Path, postgres_server: object, redis_server: object) -> dict[str, str]:
    """An environment that names no server; the fixtures skip where none can be started."""
    return bare_environment() | {"JOBFLEET_HOME": str(home), "JOBFLEET_CONFIG": str(home / "jobfleet.toml")}


@pytest.fixture
def fleet(fleet_environment: dict[str, str]) -> Iterator[Process]:
    """A fleet on the run's servers."""
    with Process(["jobfleet", "up"], fleet_environment) as process:
        process.says("monitor of")
        process.says(READY)
        known = descendants(process.pid)
        yield process
    for pid in known:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_from_nothing_to_a_job_done_and_back(own_servers: dict[str, str], home: Path) -> None:
    with Process(["jobfleet", "up"], own_servers) as up:
        # Given a fleet that was started with no server named
        up.says("monitor of")
        up.says(READY)
        assert "applied 0001_job_logs" in up.output
        assert "send_email.send(" in up.output

        # When a job is sent to it by a process that is told where the fleet's home is, and no more
        broker = FairBroker(FleetFile(home).read()["redis_url"])
        job = send_what_fails(broker)

        # Then it runs (and fails, as its address is none), is logged, and is dead; all commands find the fleet
        eventually(lambda: parsed(run(own_servers, "dead", "list", "--json")), timeout=30)
        assert run(own_servers, "jobs", "follow", "--until-done", job.message_id).status == 1
        assert parsed(run(own_servers, "jobs", "list", "--json"))[0]["status"] == "failed"
        assert run(own_servers, "audit").status == 0
        broker.close()

        # And a second fleet has no place in the same home
        refused(run(own_servers, "up"), "already runs in", "JOBFLEET_HOME")

        # When it is told to stop
        running = descendants(up.pid)
        up.interrupt()
        outcome = up.wait()

    # Then it does, and nothing of it is left but its data
    assert outcome.status == 0, outcome
    assert "monitor stopped" in outcome.output
    assert all_gone(running)
    assert FleetFile(home).read() == {}
    refused(run(own_servers, "queues"), "REDIS_URL")


def send_what_fails(broker: FairBroker) -> Message[Any]:
    """Send a job that is dead after its first run."""
    job: Message[Any] = Message(
        queue_name="email",
        actor_name="jobfleet.send_email",
        args=(),
        kwargs={"tenant_id": 42, "to": "nobody", "subject": "x", "body": "x"},
        options={"max_retries": 0},
    )
    broker.enqueue(job)
    return job


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_fleet_whose_server_dies_says_so_and_stops(own_servers: dict[str, str], home: Path) -> None:
    with Process(["jobfleet", "up"], own_servers) as up:
        up.says(READY)
        os.kill(int((home / "postgres" / "postgres.lock").read_text().split()[0]), signal.SIGKILL)
        outcome = up.wait(90)

    assert outcome.status == 1, outcome
    assert "a server of this fleet" in outcome.output
    assert FleetFile(home).read() == {}


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_what_dies_is_started_again(fleet: Process) -> None:
    # When each child of the fleet is killed
    for child in children(fleet.pid):
        os.kill(child, signal.SIGKILL)

    # Then it says so, starts them again, and still stops well
    eventually(lambda: fleet.output.count("starting it again") == 2)
    eventually(lambda: fleet.output.count(READY) == 2 and fleet.output.count("monitor of") == 2, timeout=30)
    fleet.terminate()
    assert fleet.wait().status == 0
    # And nothing but JSON was written, as no terminal reads it
    assert json_lines(fleet.output)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells a child of its parent's death")
def test_nothing_outlives_a_fleet_that_is_killed(fleet: Process) -> None:
    running = descendants(fleet.pid)
    assert len(running) >= 3

    fleet.kill()
    eventually(lambda: all_gone(running), timeout=30)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_watched_fleet_is_judged_by_our_rules_and_what_fires_can_be_read(
    fleet_environment: dict[str, str], watch_programs: None, broker: FairBroker
) -> None:
    home = Path(fleet_environment["JOBFLEET_HOME"])
    with Process(["jobfleet", "up", "--watch"], fleet_environment) as up:
        # Given a fleet with Prometheus and Alertmanager, and no setting of a token
        up.says("metrics at", timeout=60)
        up.says(READY, timeout=60)
        prometheus, monitor = (
            present(re.search(rf"{name} +(http://[^/\s]+)/", up.output)).group(1) for name in ("Prometheus", "monitor")
        )

        # Then Prometheus scrapes its monitor, judges it by the rules that we ship, and knows whom to tell
        with Client(prometheus) as client:
            eventually(lambda: ups(client) == ["1"], timeout=60)
            groups = client.get("/api/v1/rules").json()["data"]["groups"]
            assert {rule["name"] for group in groups for rule in group["rules"]} >= {"JobfleetDeadLetterGrowing"}
            assert len(client.get("/api/v1/alertmanagers").json()["data"]["activeAlertmanagers"]) == 1

        # When a job dies, then the monitor is told of it, and says so to whoever may read the fleet's home
        send_what_fails(broker)
        file = home / "admin-token"
        assert str(file) in up.output
        assert file.stat().st_mode & 0o777 == 0o600
        with Client(monitor, file.read_text()) as reader, Client(monitor) as stranger:
            eventually(lambda: "JobfleetDeadLetterGrowing" in kept_alerts(reader), timeout=90)
            assert stranger.get("/admin/alerts").status_code == 401

        # When Prometheus dies, then the fleet says so and stops
        os.kill(int((home / "prometheus" / "prometheus.lock").read_text().split()[0]), signal.SIGKILL)
        outcome = up.wait(90)
        assert outcome.status == 1, outcome
        assert "a server of this fleet" in outcome.output
        assert not file.exists()


def test_a_watched_fleet_keeps_the_admins_token_that_is_set(
    watch_programs: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBFLEET_ADMIN_TOKEN", "the admin's")
    settings.cache_clear()

    watching = EmbeddedWatch(tmp_path)

    assert watching.admin_token_file is None
    assert "JOBFLEET_ADMIN_TOKEN" not in watching.environment


def kept_alerts(monitor: Client) -> set[str]:
    """Names of the alerts that a monitor has been told of."""
    return {alert["labels"]["alertname"] for alert in data(monitor.get("/admin/alerts"))["alerts"]}


def ups(client: Client) -> list[str]:
    """Whether each monitor could be scraped."""
    found = client.get("/api/v1/query", params={"query": 'up{job="jobfleet-monitor"}'}).json()["data"]["result"]
    return [series["value"][1] for series in found]


def test_a_fleet_cannot_be_watched_without_the_programs(own_servers: dict[str, str], home: Path) -> None:
    outcome = run({**own_servers, "PATH": str(home)}, "up", "--watch")

    refused(outcome, "apt-get install prometheus prometheus-alertmanager", "leave out --watch")
    assert not home.exists()


def test_a_fleet_that_cannot_work_gives_up(fleet_environment: dict[str, str], tmp_path: Path) -> None:
    # Given an application's module that can be imported once, and never again
    (tmp_path / "once.py").write_text("import pathlib\npathlib.Path('imported').mkdir()\n")

    with Process(["jobfleet", "up", "once"], fleet_environment, cwd=tmp_path) as up:
        outcome = up.wait(120)

    # Then the fleet tries a few times and stops with it
    assert outcome.status == 1, outcome
    assert "FileExistsError" in outcome.output
    assert "giving up" in outcome.output
    assert "monitor stopped" in outcome.output
