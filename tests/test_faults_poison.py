"""Jobs that hurt their own worker, under `jobfleet worker`: they kill it, hold its interpreter, or never come back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dramatiq import Message
from faults_fleet import PATIENCE, FaultFleet, fault_fleet
from journal_events import rows
from wait import eventually

#: Seconds for what takes several deaths, or half a minute in which nothing comes, with a start of Python after each.
LONG_PATIENCE = 3 * PATIENCE


@pytest.fixture
def fleet(tmp_path: Path, fleet_environment: dict[str, str]) -> Iterator[FaultFleet]:
    with fault_fleet(tmp_path, fleet_environment) as fleet:
        yield fleet


@pytest.mark.parametrize("actor", ["kills_its_worker", "holds_the_interpreter"])
def test_a_job_that_ends_its_worker_each_time_is_found_out_and_its_neighbours_complete(
    fleet: FaultFleet, actor: str
) -> None:
    # Given a job that ends its process each time, among nine that do no harm, in a worker that replaces its processes
    fleet.monitor()
    poison, *neighbours = [message(actor, 99), *(message("work", number) for number in range(9))]
    fleet.broker.enqueue_many([poison, *neighbours])
    process = fleet.supervised_worker(threads=10)

    # When it has done so often enough
    letter = eventually(lambda: letter_of(fleet, poison.message_id), LONG_PATIENCE)
    eventually(lambda: fleet.runs()["completed"] == 9, LONG_PATIENCE)

    # Then it is a dead letter after three losses, the last one alone; its neighbours have completed, once each
    assert (letter["actor"], letter["reason"]) == (actor, "worker_lost")
    fleet.prove(completed=9, failed=1)
    assert outcomes(fleet, poison.message_id) == ["lost", "lost", "failed"]
    for neighbour in neighbours:
        runs = outcomes(fleet, neighbour.message_id)
        assert (runs[-1], set(runs[:-1]) <= {"lost"}, len(runs) <= 3) == ("completed", True, True), runs
    if actor == "holds_the_interpreter":
        process.says("Timeout", PATIENCE)


@pytest.mark.soak
def test_a_job_that_hangs_for_half_a_minute_beyond_its_limit_has_its_process_replaced(fleet: FaultFleet) -> None:
    # Given a job that waits outside of Python, in a worker with the patience that fleets have, and others beside it
    fleet.monitor()
    fleet.supervised_worker(threads=3)
    stuck = fleet.broker.enqueue(message("waits_in_c", 99))
    fleet.await_lines("start", 1)
    (name,) = fleet.workers()
    fleet.broker.enqueue_many([message("work", number) for number in range(2)])

    # When that is over
    letter = eventually(lambda: letter_of(fleet, stuck.message_id), LONG_PATIENCE)

    # Then the job is a dead letter, and another process works in the place of its own
    assert (letter["reason"], letter["attempts"]) == ("stuck", 1)
    assert "within 30 s of its time limit" in letter["error"]
    eventually(lambda: len(fleet.workers() - {name}) == 1, PATIENCE)
    fleet.broker.enqueue_many([message("work", number) for number in range(2, 4)])
    eventually(lambda: fleet.runs()["completed"] == 4, PATIENCE)
    fleet.prove(completed=4, failed=1)
    assert Counter(line[1] for line in fleet.lines("end")) == Counter(map(str, range(4))), "none ran twice"


def message(actor: str, number: int) -> Message[Any]:
    """A job of one of ``faults_supervised_actors``."""
    return Message(queue_name="report", actor_name=actor, args=(number,), kwargs={}, options={})


def letter_of(fleet: FaultFleet, job_id: str) -> dict[str, Any] | None:
    """The dead letter of a job, once it is stored for good."""
    return next(iter(rows(fleet.database_url, "SELECT * FROM dead_letters WHERE job_id = %s", job_id)), None)


def outcomes(fleet: FaultFleet, job_id: str) -> list[str]:
    """How the runs of a job ended, in order, by the job log."""
    query = "SELECT outcome FROM job_attempts WHERE job_id = %s ORDER BY run"
    return [row["outcome"] for row in rows(fleet.database_url, query, job_id)]
