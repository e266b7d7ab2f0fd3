"""A database that goes away in the middle of the demo's load."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from demo_process import PATIENCE, folder_for_all
from processes import bare_environment, run_command

from jobfleet.cli.embedded_postgres import EmbeddedPostgres
from jobfleet.cli.embedded_redis import EmbeddedRedis

OUTAGE = Path(__file__).with_name("demo_outage.py")


def suffer_outage(seconds: float) -> None:
    with folder_for_all() as folder:
        # When the database is away for some seconds in the middle of the load
        report = folder / "report.json"
        environment = bare_environment() | {"TMPDIR": str(folder)}
        outcome = run_command(["python", str(OUTAGE), str(seconds), str(report)], environment, timeout=PATIENCE)
        assert outcome.status == 0, outcome.errors
        evidence = json.loads(report.read_text())

    # Then jobs were put off, no attempt was burnt, and the log is complete
    assert int(outcome.output) > 0
    assert [check for check in evidence["checks"] if not check["ok"]] == []
    assert evidence["audit"]["clean"], evidence["audit"]["verdict"]


def test_a_database_that_is_away_for_a_moment_burns_no_attempt(
    redis_server: EmbeddedRedis, postgres_server: EmbeddedPostgres
) -> None:
    suffer_outage(5)


@pytest.mark.soak
def test_a_database_that_is_away_for_20_seconds_burns_no_attempt(
    redis_server: EmbeddedRedis, postgres_server: EmbeddedPostgres
) -> None:
    suffer_outage(20)
