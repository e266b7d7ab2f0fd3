"""Whatever is wrong is one clear sentence on standard error, with exit code 1."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import parsed, refused, run, run_all
from processes import bare_environment

#: Nothing listens on port 1.
NO_REDIS = "redis://127.0.0.1:1"
NO_POSTGRES = "postgresql://ada:sesame@127.0.0.1:1/app"


@pytest.fixture
def nowhere(tmp_path: Path) -> dict[str, str]:
    """An environment in which no server is named and no fleet runs."""
    return bare_environment() | {
        "JOBFLEET_HOME": str(tmp_path / "home"),
        "JOBFLEET_CONFIG": str(tmp_path / "jobfleet.toml"),
    }


def test_no_server_named(nowhere: dict[str, str]) -> None:
    commands = ["queues", "audit", "jobs show x", "jobs follow", "dead list", "dead replay x", "worker"]
    for outcome in run_all([command.split() for command in commands], nowhere):
        refused(outcome, "REDIS_URL", "jobfleet up")
    for outcome in run_all([["monitor"], ["migrate"], ["jobs", "list"]], nowhere):
        refused(outcome, "DATABASE_URL")


def test_server_unreachable(nowhere: dict[str, str]) -> None:
    environment = nowhere | {"REDIS_URL": NO_REDIS, "DATABASE_URL": NO_POSTGRES}
    commands = ["queues", "audit", "jobs show x", "jobs follow", "dead list", "worker -Q email", "monitor"]
    for outcome in run_all([command.split() for command in commands], environment):
        refused(outcome, "Redis at 127.0.0.1:1 is unreachable")
    migrate, jobs, up = run_all([["migrate"], ["jobs", "list"], ["up"]], environment)
    for outcome in (migrate, jobs):
        refused(outcome, "PostgreSQL at 127.0.0.1:1/app is away")
    assert "PostgreSQL at 127.0.0.1:1/app is away" in up.errors
    assert up.status == 1
    assert "sesame" not in migrate.errors + jobs.errors + up.errors + up.output


def test_bad_addresses_and_settings(nowhere: dict[str, str]) -> None:
    wrong = {
        "REDIS_URL is": {"REDIS_URL": "http://localhost"},
        "DATABASE_URL cannot be read": {"REDIS_URL": NO_REDIS, "DATABASE_URL": "nonsense"},
        "JOBFLEET_LEASE_MS is": {"JOBFLEET_LEASE_MS": "soon"},
        "JOBFLEET_NAMESPACE is": {"JOBFLEET_NAMESPACE": "a b"},
    }
    environments = [nowhere | settings for settings in wrong.values()]
    for words, outcome in zip(wrong, run_all([["queues"]] * len(wrong), *environments), strict=True):
        refused(outcome, words)


def test_bad_configuration_file(nowhere: dict[str, str], tmp_path: Path) -> None:
    wrong = {
        "cannot be read": "lease_ms = ",
        "attemps": "[queues.email]\nattemps = 4",
        "[queues.email]": "queues = 3",
        "the name of a queue is 'a b'; it must have no spaces": '[queues."a b"]\nattempts = 4',
        "LEASE_MS": "lease_ms = 1",
    }
    environments = []
    for number, text in enumerate(wrong.values()):
        (tmp_path / f"{number}.toml").write_text(text)
        environments.append(nowhere | {"REDIS_URL": NO_REDIS, "JOBFLEET_CONFIG": str(tmp_path / f"{number}.toml")})
    for words, outcome in zip(wrong, run_all([["queues"]] * len(wrong), *environments), strict=True):
        refused(outcome, words)


def test_unknown_queue(fleet_environment: dict[str, str]) -> None:
    commands = ["worker -Q emial", "jobs list --queue emial", "jobs follow -Q emial", "dead list --queue emial"]
    commands += ["dead replay --all --queue emial", "dead discard --all --queue emial --yes"]
    for outcome in run_all([command.split() for command in commands], fleet_environment):
        refused(outcome, "unknown queue emial", "did you mean email?", "image-processing")


def test_missing_migration(fleet_environment: dict[str, str], unmigrated_database_url: str) -> None:
    environment = fleet_environment | {"DATABASE_URL": unmigrated_database_url}
    for outcome in run_all([["monitor"], ["worker"], ["jobs", "list"], ["dead", "list"]], environment):
        refused(outcome, "jobfleet migrate")
    # And after what the sentence says, all is well
    assert "applied 0001_job_logs" in run(environment, "migrate", "--dry-run").output.replace("would apply", "applied")
    first = run(environment, "migrate")
    assert first.status == 0
    assert "applied 0001_job_logs" in first.output
    assert run(environment, "migrate").output == "up to date\n"
    assert parsed(run(environment, "jobs", "list", "--json")) == []


def test_unknown_job_id(fleet_environment: dict[str, str]) -> None:
    commands = [["jobs", "show", "nobody"], ["jobs", "follow", "--until-done", "nobody"], ["dead", "show", "nobody"]]
    commands += [["dead", "replay", "nobody"], ["dead", "discard", "nobody", "--yes"]]
    for outcome in run_all(commands, fleet_environment):
        refused(outcome, "unknown", "nobody")


def test_a_module_that_cannot_be_imported(fleet_environment: dict[str, str]) -> None:
    for outcome in run_all([["worker", "no_such_module"], ["up", "no_such_module"]], fleet_environment):
        refused(outcome, "module no_such_module cannot be imported")


def test_a_queue_without_an_actor(fleet_environment: dict[str, str]) -> None:
    refused(run(fleet_environment, "worker", "-Q", "report"), "no actor works on queue report", "email, webhook")
