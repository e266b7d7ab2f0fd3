"""Tenants by command: plans, limits of their own, pause."""

from __future__ import annotations

from pathlib import Path

from command import parsed, refused, run, run_all
from published_limits import plain_sql, published

from jobfleet.broker import FairBroker
from jobfleet.broker.plans import RANGES


def test_from_free_to_limits_of_its_own(fleet_environment: dict[str, str], broker: FairBroker) -> None:
    # Given a tenant that nobody has spoken of
    shown, listed = run_all([["tenants", "show", "42"], ["tenants", "list"]], fleet_environment)
    assert "free (nothing is set for it" in shown.output
    assert listed.output == "no tenants: all are on the plan free\n"

    # When it gets a plan, limits of its own and a pause
    said = [
        run(fleet_environment, *words.split()).output
        for words in (
            "tenants set-plan 42 pro",
            "tenants override 42 --concurrency 15 --max-jobs-per-minute 500 --weight 3",
            "tenants override 42 --reset weight",
            "tenants pause 42",
        )
    ]

    # Then each answer says what holds, and so does the fleet
    assert said == [
        "tenant 42: plan pro, 10 at once, 200 per minute, weight 4, backlog 100,000\n",
        "tenant 42: plan pro, 15 at once, 500 per minute, weight 3, backlog 100,000\n",
        "tenant 42: plan pro, 15 at once, 500 per minute, weight 4, backlog 100,000\n",
        "tenant 42: paused, plan pro, 15 at once, 500 per minute, weight 4, backlog 100,000\n",
    ]
    assert published(broker, "42") == ["pro", 15, 500, 4, 100_000, True]

    # And it is shown and listed
    commands = ["tenants show 42", "tenants show 42 --json", "tenants list", "tenants list --json --paused"]
    commands += ["tenants list --not-paused --plan pro"]
    shown, as_object, listed, objects, others = run_all([words.split() for words in commands], fleet_environment)
    assert "max_jobs_per_minute   500 (its own)" in shown.output
    assert "yes: its jobs wait" in shown.output
    assert parsed(objects) == [parsed(as_object)]
    found = parsed(as_object)
    assert [found[name] for name in ("tenant_id", "plan", "paused", *RANGES)] == [
        "42",
        "pro",
        True,
        15,
        500,
        4,
        100_000,
    ]
    assert found["overrides"] == {"concurrency": 15, "max_jobs_per_minute": 500}
    assert [line.split()[:2] for line in listed.output.splitlines()] == [["tenant", "plan"], ["42", "pro"]]
    assert others.output == "no such tenants\n"

    # And all of it can be taken back
    assert "paused" not in run(fleet_environment, "tenants", "resume", "42").output
    assert "10 at once, 200" in run(fleet_environment, "tenants", "override", "42", "--reset", "all").output


def test_a_tenant_and_a_plan_that_are_none(fleet_environment: dict[str, str]) -> None:
    wrong = {
        "tenants set-plan 42 porr": ["unknown plan porr", "free, starter, pro, enterprise"],
        "tenants set-plan a:b pro": ["tenant_id is 'a:b'", "1 to 64"],
        "tenants override 42": ["no limit was given", "concurrency"],
        "tenants override 42 --concurrency 0": ["concurrency is 0", "from 1 to 10,000"],
        "tenants override 42 --reset speed": ["unknown limit speed", "max_backlog"],
        "tenants list --plan gold": ["unknown plan gold"],
    }
    outcomes = run_all([call.split() for call in wrong], fleet_environment)
    for words, outcome in zip(wrong.values(), outcomes, strict=True):
        refused(outcome, *words)
    assert parsed(run(fleet_environment, "tenants", "list", "--json")) == []


def test_a_plan_that_only_the_table_has(fleet_environment: dict[str, str], database_url: str) -> None:
    plain_sql(database_url, "INSERT INTO plans VALUES ('gold', 50, 5000, 16, 50000)")

    assert "plan gold, 50 at once" in run(fleet_environment, "tenants", "set-plan", "midas", "gold").output


def test_redis_away_the_change_is_stored(fleet_environment: dict[str, str], tmp_path: Path) -> None:
    outcome = run(fleet_environment | {"REDIS_URL": "redis://127.0.0.1:1"}, "tenants", "set-plan", "42", "pro")

    assert outcome.status == 0
    assert outcome.output.startswith("tenant 42: plan pro")
    assert "reaches the fleet through the monitor" in outcome.errors
    assert "Traceback" not in outcome.errors
