"""Monitors that die in the middle of a batch of the log, with another one beside them, under load."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from faults_fleet import PATIENCE, FaultFleet, fault_fleet
from faults_sender import Sender
from journal_events import rows
from processes import Process
from wait import eventually

JOBS = 1_500
COUNT = "SELECT count(*) AS n FROM job_logs"
WAITING_FOR_A_LOCK = "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'relation'"
#: Sessions of this database's recorders that stand by or lead: one holds the lock, the others ask for it.
LEADERS = """
SELECT count(*) AS n FROM pg_locks AS lock JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND datname = current_database()
"""


@pytest.fixture
def fleet(tmp_path: Path, fleet_environment: dict[str, str]) -> Iterator[FaultFleet]:
    with fault_fleet(tmp_path, fleet_environment) as fleet:
        yield fleet


def test_of_two_monitors_the_one_that_leads_is_killed_in_a_batch_and_the_log_is_complete(fleet: FaultFleet) -> None:
    # Given two monitors, and load
    leader = fleet.monitor()
    eventually(lambda: rows(fleet.database_url, LEADERS)[0]["n"] == 1, PATIENCE)
    other = fleet.start("jobfleet", "monitor")
    other.says("/metrics", PATIENCE)
    fleet.worker(threads=4)
    with Sender(fleet.proxy.url, fleet.namespace, range(JOBS)) as sending:
        # When the one that leads is killed while its batch waits in the middle of a transaction
        eventually(lambda: rows(fleet.database_url, COUNT)[0]["n"] >= 100, PATIENCE)
        kill_in_a_batch(fleet, leader)
        before = rows(fleet.database_url, COUNT)[0]["n"]

        # Then the other one takes over
        eventually(lambda: rows(fleet.database_url, COUNT)[0]["n"] > before + 100, PATIENCE)

        # And when it is killed too, at any moment, a third goes on where it was
        other.kill()
        fleet.start("jobfleet", "monitor")
        sending.finish(PATIENCE)
        assert sending.refusals == []
    fleet.await_completed(JOBS)
    fleet.prove(completed=JOBS)


def kill_in_a_batch(fleet: FaultFleet, leader: Process) -> None:
    """Kill a monitor while what it writes of a batch waits for the table of runs."""
    with psycopg.connect(fleet.database_url) as blocker:
        blocker.execute("LOCK TABLE job_attempts IN EXCLUSIVE MODE")
        eventually(lambda: rows(fleet.database_url, WAITING_FOR_A_LOCK), PATIENCE)
        leader.kill()
        leader.wait()
