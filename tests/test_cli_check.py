"""Configuration and connections, looked at with advice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command import run, run_all
from mail_receiver import MailReceiver
from processes import Outcome, bare_environment

from jobfleet.cli.embedded_redis import EmbeddedRedis


def checks(outcome: Outcome) -> dict[str, dict[str, Any]]:
    """What was found of each subject, the worst of them."""
    order = ("ok", "warning", "error")
    found = sorted(json.loads(outcome.output)["checks"], key=lambda result: order.index(result["level"]))
    return {result["subject"]: result for result in found}


def test_a_fleet_that_can_run(fleet_environment: dict[str, str], redis_url: str) -> None:
    # Given servers that answer, once without a mail server, and a Redis that does not keep its data
    with MailReceiver() as receiver:
        with_mail = fleet_environment | {"SMTP_URL": receiver.url}
        commands = [["check"], ["check", "--json"], ["check", "--json"]]
        said, objects, mailed = run_all(commands, fleet_environment, fleet_environment, with_mail)

    # Then there are warnings with advice, and no errors
    assert (said.status, objects.status, mailed.status) == (0, 0, 0), said
    found = checks(objects)
    assert [found[name]["level"] for name in ("Redis", "memory", "PostgreSQL", "migrations", "storage")] == ["ok"] * 5
    assert found["persistence"]["level"] == "warning"
    assert "appendonly yes" in found["persistence"]["advice"]
    assert "SMTP_URL" in found["mail"]["text"]
    assert checks(mailed)["mail"]["level"] == "ok"

    # And each setting is there with its source
    sources = {row["name"]: row["source"] for row in json.loads(objects.output)["settings"]}
    assert (sources["REDIS_URL"], sources["SMTP_URL"]) == ("environment", "default")
    line = next(line for line in said.output.splitlines() if line.startswith("REDIS_URL"))
    assert line.split() == ["REDIS_URL", redis_url, "environment"]
    assert said.output.splitlines()[-1].startswith("check: 0 errors, ")


def test_servers_that_are_away_are_errors(tmp_path: Path) -> None:
    environment = bare_environment() | {
        "REDIS_URL": "redis://:sesame@127.0.0.1:1",
        "DATABASE_URL": "host=127.0.0.1 port=1 dbname=app password=sesame",
        "SMTP_URL": "smtp://127.0.0.1:1?from=shop@example.com",
        "STORAGE_URL": "nonsense://files",
        "JOBFLEET_HOME": str(tmp_path),
    }
    said, objects = run_all([["check"], ["check", "--json"]], environment)

    assert (said.status, objects.status) == (1, 1)
    found = checks(objects)
    assert [found[name]["level"] for name in ("Redis", "PostgreSQL", "mail", "storage")] == ["error"] * 4
    assert "mend REDIS_URL" in said.output
    assert "sesame" not in said.output + said.errors + objects.output
    assert "Traceback" not in said.errors


def test_a_missing_migration_is_an_error(fleet_environment: dict[str, str], unmigrated_database_url: str) -> None:
    outcome = run(fleet_environment | {"DATABASE_URL": unmigrated_database_url}, "check", "--json")
    assert outcome.status == 1
    assert "jobfleet migrate" in checks(outcome)["migrations"]["advice"]


def test_a_redis_that_throws_jobs_away_is_an_error(fleet_environment: dict[str, str], servers_directory: Path) -> None:
    config = {"maxmemory-policy": "allkeys-lru", "maxmemory": "64mb", "appendonly": "no"}
    with EmbeddedRedis(servers_directory / "forgetful", config=config) as server:
        outcome = run(fleet_environment | {"REDIS_URL": server.url}, "check", "--json")
    assert outcome.status == 1
    assert checks(outcome)["memory"]["level"] == "error"
    assert "noeviction" in checks(outcome)["memory"]["advice"]


@pytest.mark.parametrize("place", ["environment", "file"])
def test_a_misspelt_setting_is_noticed(fleet_environment: dict[str, str], place: str) -> None:
    if place == "environment":
        fleet_environment["JOBFLEET_NAMESPAC"] = "x"
    else:
        Path(fleet_environment["JOBFLEET_CONFIG"]).write_text("lease_mss = 1\nlease_ms = 20000\n")
    outcome = run(fleet_environment, "check", "--json")

    assert checks(outcome)["settings"]["level"] == "warning"
    wanted = "JOBFLEET_NAMESPACE" if place == "environment" else "lease_ms"
    assert checks(outcome)["settings"]["advice"] == f"did you mean {wanted}?"
