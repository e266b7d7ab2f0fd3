"""The examples run, as their own words say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from house import HOUSE
from journal_events import rows
from processes import Process, run_command
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.middleware import effect_ledger
from jobfleet.middleware.database import Database
from jobfleet.middleware.job_history import JobHistory
from jobfleet.middleware.logged_job import LoggedJob

EXAMPLES = HOUSE / "examples"
WORKER = ["jobfleet", "worker", "ledger", "-Q", "report", "-t", "2"]
#: Seconds for what takes a moment on an idle machine.
PATIENCE = 60.0


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


def test_the_ledger_credits_each_account_once_although_its_worker_is_killed(
    broker: FairBroker, database: Database, database_url: str, fleet_environment: dict[str, str], tmp_path: Path
) -> None:
    # Given the example's job, whose worker is killed with all that belongs to it in the middle of some credit
    entries = tmp_path / "ledger.csv"
    environment = fleet_environment | {"LEDGER": str(entries), "JOBFLEET_LEASE_MS": "2000", "BANK_SECONDS": "0.3"}
    names = [f"account-{number}" for number in range(8)]
    with Process(["jobfleet", "monitor"], environment):
        with Process(WORKER, environment, cwd=EXAMPLES):
            sent = run_command(["python", "ledger.py", "42", "2026-03", *names], environment, cwd=EXAMPLES)
            assert sent.status == 0, sent.errors
            eventually(lambda: len(credited(entries)) >= 2, PATIENCE)

        # When another worker takes over, and a person ends the doubt that the kill has left, if it left one
        job_id = sent.output.strip()
        with Process(WORKER, environment, cwd=EXAMPLES):
            logged = ended(database, job_id)
            if logged.status == "failed":
                assert "nobody knows whether it happened" in (logged.error or "")
                (doubt,) = rows(database_url, "SELECT name FROM effects WHERE status = 'in_doubt'")
                account = doubt["name"].removeprefix("credit:")
                effect_ledger.resolve(database, job_id, doubt["name"], happened=account in credited(entries))
                broker.dead_letters.replay([job_id])
                eventually(lambda: ended(database, job_id).status == "completed", PATIENCE)

    # Then every account is credited, and none twice
    logged = ended(database, job_id)
    assert credited(entries) == names
    assert (logged.status, logged.result["accounts"], logged.progress) == ("completed", 8, 1.0)
    assert logged.progress_note == "all 8 accounts"
    assert broker.audit().clean


def credited(entries: Path) -> list[str]:
    """The accounts in the ledger, in order."""
    return [line.split(",")[2] for line in entries.read_text().splitlines()] if entries.exists() else []


def ended(database: Database, job_id: str) -> LoggedJob:
    """The job as the log has it, once it is over."""

    def look() -> LoggedJob | None:
        job = JobHistory(database).job(job_id)
        return job if job is not None and job.status in ("completed", "failed") else None

    return eventually(look, PATIENCE)
