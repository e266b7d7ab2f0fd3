"""Dead letters: list, show, replay, discard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from command import SmallFleet, parsed, refused, run, run_all

from jobfleet.broker import FairBroker
from jobfleet.middleware.database import Database


@pytest.fixture
def fleet(broker: FairBroker, database_url: str) -> Iterator[SmallFleet]:
    database = Database(database_url)
    yield SmallFleet(broker, database)
    database.close()


def test_from_death_to_replay(fleet: SmallFleet, fleet_environment: dict[str, str]) -> None:
    # Given four dead letters of two tenants
    with fleet.running():
        dead = [fleet.broken.send(tenant_id=1 + number % 2, number=number).message_id for number in range(4)]

    # When they are looked at
    asked = ["dead list --json", "dead list --tenant 2 --error", f"dead show {dead[0]} --json", f"dead show {dead[0]}"]
    asked += ["dead list --actor good", "dead replay --all --tenant 2 --dry-run", "dead discard --all --dry-run"]
    commands = [words.split() for words in asked]
    commands[1].append("endpoint 3")
    listed, filtered, letter, shown, none, replayable, discardable = run_all(commands, fleet_environment)

    # Then the filters hold, one letter is one line, and a dry run only counts
    assert {row["job_id"] for row in parsed(listed)} == set(dead)
    assert [line.split()[0] for line in filtered.output.splitlines()] == ["job", dead[3]]
    assert "endpoint 3 is broken and says so in two lines" in filtered.output
    assert parsed(letter)["payload"] == {"tenant_id": 1, "number": 0}
    assert parsed(letter)["error_type"] == "ValueError"
    assert {row["plan"] for row in parsed(listed)} == {parsed(letter)["plan"]} == {"free"}
    assert "plan      free\n" in shown.output
    assert "Traceback" in shown.output
    assert none.output == "no dead letters\n"
    assert replayable.output == "2 dead letters would be replayed\n"
    assert discardable.output == "4 dead letters would be discarded\n"
    assert fleet.broker.stats(["webhook"])[0].failed == 4

    # When those of one tenant are replayed after the endpoint was mended, and one other is discarded
    fleet.mended = True
    assert run(fleet_environment, "dead", "replay", "--all", "--tenant", "2").output == "2 dead letters replayed\n"
    assert run(fleet_environment, "dead", "discard", dead[0], "--yes").output == "1 dead letter discarded\n"
    with fleet.running():
        pass

    # Then they complete under their own ids, the other is discarded in the log, and one is left
    rows = {row["job_id"]: row["status"] for row in parsed(run(fleet_environment, "jobs", "list", "--json"))}
    assert [rows[job_id] for job_id in dead] == ["discarded", "completed", "failed", "completed"]
    assert [row["job_id"] for row in parsed(run(fleet_environment, "dead", "list", "--json"))] == [dead[2]]
    assert fleet.broker.audit().clean


def test_a_discard_must_be_confirmed(fleet: SmallFleet, fleet_environment: dict[str, str]) -> None:
    with fleet.running():
        dead = fleet.broken.send(tenant_id=1).message_id

    refused(run(fleet_environment, "dead", "discard", dead), "--yes")
    assert fleet.broker.stats(["webhook"])[0].failed == 1


def test_what_is_meant_must_be_said(fleet_environment: dict[str, str]) -> None:
    calls = [
        "dead replay",
        "dead discard --yes",
        "dead replay x --all",
        "dead replay --queue email",
        "dead replay x --tenant 1",
    ]
    for outcome in run_all([call.split() for call in calls], fleet_environment):
        assert outcome.status == 2, outcome
        assert "--all" in outcome.errors


def test_an_empty_filter_means_nothing_instead_of_everything(
    fleet: SmallFleet, fleet_environment: dict[str, str]
) -> None:
    with fleet.running():
        for _ in range(2):
            fleet.broken.send(tenant_id=1)

    for option in ("--queue", "--tenant", "--actor", "--error"):
        refused(run(fleet_environment, "dead", "discard", "--all", option, "", "--yes"), option.strip("-"))
    some = run(fleet_environment, "dead", "discard", "--all", "--limit", "1", "--dry-run")
    assert some.output == "1 dead letter would be discarded\n"
    assert "more than 1 match" in some.errors
    assert fleet.broker.stats(["webhook"])[0].failed == 2


def test_one_unknown_id_and_nothing_is_done(fleet: SmallFleet, fleet_environment: dict[str, str]) -> None:
    with fleet.running():
        dead = fleet.broken.send(tenant_id=1).message_id

    refused(run(fleet_environment, "dead", "replay", dead, "nobody"), "nobody", "nothing was done")
    assert fleet.broker.stats(["webhook"])[0].failed == 1


def test_an_error_does_not_steer_the_terminal(fleet: SmallFleet, fleet_environment: dict[str, str]) -> None:
    with fleet.running():
        dead = fleet.hostile.send(tenant_id=1).message_id

    asked = [["dead", "list"], ["dead", "show", dead], ["jobs", "show", dead], ["jobs", "list"]]
    for outcome in run_all(asked, fleet_environment):
        assert outcome.status == 0, outcome
        assert "HTTP 500" in outcome.output
        assert "\x1b" not in outcome.output


def test_no_dead_letters(fleet_environment: dict[str, str]) -> None:
    listed, replayed = run_all([["dead", "list"], ["dead", "replay", "--all"]], fleet_environment)
    assert (listed.output, replayed.output) == ("no dead letters\n", "0 dead letters replayed\n")


def test_redis_alone_is_enough(fleet: SmallFleet, fleet_environment: dict[str, str]) -> None:
    with fleet.running():
        dead = fleet.broken.send(tenant_id=1).message_id

    away = fleet_environment | {"DATABASE_URL": "postgresql://127.0.0.1:1/app"}
    outcome = run(away, "dead", "list")
    assert dead in outcome.output
    assert "PostgreSQL at 127.0.0.1:1/app is away" in outcome.errors
