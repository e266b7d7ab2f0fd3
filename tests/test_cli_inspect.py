"""Looking at a fleet: queues, jobs list, jobs show, audit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from command import SmallFleet, parsed, run, run_all
from processes import Process

from jobfleet.broker import FairBroker
from jobfleet.middleware.database import Database

#: The trace context of a request.
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def fleet(broker: FairBroker, database_url: str) -> Iterator[SmallFleet]:
    database = Database(database_url)
    yield SmallFleet(broker, database)
    database.close()


def test_queues_and_jobs_as_the_fleet_has_them(fleet: SmallFleet, fleet_environment: dict[str, str]) -> None:
    # Given a fleet that has run some jobs, one of which is delayed and one of which is dead
    with fleet.running():
        sent = [fleet.good.send(tenant_id=42, secret="sesame").message_id for _ in range(3)]
        dead = fleet.broken.send(tenant_id=7).message_id
    late = fleet.good.send_with_options(kwargs={"tenant_id": 7}, delay=3_600_000, traceparent=PARENT).message_id

    # When the commands are asked
    asked = ["queues --json", "queues", "jobs list --json", "jobs list --tenant 42 --status completed --queue email"]
    asked += [f"jobs show {dead} --json", f"jobs show {sent[0]}", f"jobs show {late}", "audit", "audit --json"]
    counted, drawn, listed, filtered, failed, good, delayed, audit, audited = run_all(
        [words.split() for words in asked], fleet_environment
    )

    # Then the counts are those of the fleet, the table's queues first
    rows = parsed(counted)
    assert [row["queue"] for row in rows][:3] == ["email", "notification", "webhook"]
    assert {name: rows[0][name] for name in ("waiting", "active", "completed", "failed", "delayed", "total")} == {
        "waiting": 0, "active": 0, "completed": 3, "failed": 0, "delayed": 1, "total": 1,
    }  # fmt: skip
    assert rows[2]["failed"] == 1
    assert drawn.output.splitlines()[0].split()[:4] == ["queue", "waiting", "active", "completed"]
    assert drawn.output.splitlines()[1].split()[:4] == ["email", "0", "0", "3"]

    # And the log's jobs are listed, newest first, one line each whatever their errors hold, ids unbroken
    assert {job["job_id"] for job in parsed(listed)} == {*sent, dead}
    assert [line.split()[0] for line in filtered.output.splitlines()[1:]] == sent[::-1]

    # And one job is shown with its timeline, its secrets left out
    report = parsed(failed)
    assert (report["now"]["state"], report["logged"]["status"]) == ("failed", "failed")
    assert [(run["attempt"], run["outcome"]) for run in report["logged"]["runs"]] == [(1, "retry"), (2, "failed")]
    assert "attempt 1 completed" in good.output
    assert "[redacted]" in good.output
    assert "sesame" not in good.output + listed.output
    assert "scheduled, due" in delayed.output
    assert f"trace     {PARENT.split('-')[1]}" in delayed.output

    # And the audit proves it
    assert (audit.status, audit.output.splitlines()[-1].startswith("audit: clean")) == (0, True)
    assert parsed(audited)["clean"]


def test_an_audit_with_findings_fails(fleet: SmallFleet, fleet_environment: dict[str, str]) -> None:
    # Given a job whose record is gone
    lost = fleet.good.send(tenant_id=1).message_id
    fleet.broker.client.hdel(fleet.broker.keys.jobs, lost)

    # Then the audit says so, in both forms, with exit code 1
    said, audited = run_all([["audit"], ["audit", "--json"]], fleet_environment)
    assert (said.status, audited.status) == (1, 1)
    assert lost in said.output
    assert "findings" in said.output.splitlines()[-1]
    assert '"clean": false' in audited.output


def test_queues_watched_until_interrupted(fleet_environment: dict[str, str]) -> None:
    with Process(["jobfleet", "queues", "--watch", "--interval", "0.2"], fleet_environment) as process:
        process.says("queue  ")
        process.interrupt()
        outcome = process.wait()
    assert outcome.status == 0
    assert outcome.errors == ""


def test_what_redis_holds_is_shown_without_a_database(fleet: SmallFleet, fleet_environment: dict[str, str]) -> None:
    waiting = fleet.good.send(tenant_id=1).message_id
    unnamed = {name: value for name, value in fleet_environment.items() if name != "DATABASE_URL"}
    away = unnamed | {"DATABASE_URL": "postgresql://127.0.0.1:1/app"}

    for environment, said in ((unnamed, ""), (away, "PostgreSQL at 127.0.0.1:1/app is away")):
        outcome = run(environment, "jobs", "show", waiting)
        assert outcome.status == 0
        assert "pending, since" in outcome.output
        assert said in outcome.errors
