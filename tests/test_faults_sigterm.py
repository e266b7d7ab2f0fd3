"""Workers that are told to stop under load, also by an impatient operator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults_fleet import PATIENCE, FaultFleet, child, fault_fleet
from wait import eventually

JOBS = 800


@pytest.fixture
def fleet(tmp_path: Path, fleet_environment: dict[str, str]) -> Iterator[FaultFleet]:
    with fault_fleet(tmp_path, fleet_environment) as fleet:
        yield fleet


def test_sigterm_under_load_ends_in_good_order_and_runs_nothing_twice(fleet: FaultFleet) -> None:
    # Given two workers in a stream of jobs
    fleet.monitor()
    first, second = fleet.worker(threads=4), fleet.worker(threads=4)
    fleet.send(range(JOBS), 0.003)
    fleet.await_lines("end", 200)

    # When one and then the other is told to stop, and a third takes over
    first.terminate()
    assert first.wait(PATIENCE).status == 0
    second.terminate()
    assert second.wait(PATIENCE).status == 0
    assert fleet.workers() == set()
    assert fleet.broker.stats(["work"])[0].active == 0, "nothing is left with them"
    fleet.worker(threads=4)

    # Then every job ran exactly once, and no worker was declared lost
    fleet.await_completed(JOBS)
    assert Counter(line[1] for line in fleet.lines("start")) == Counter(map(str, range(JOBS)))
    fleet.prove(completed=JOBS)
    assert fleet.runs()["lost"] == 0


def test_a_second_sigterm_under_load_leaves_at_once_and_loses_nothing(fleet: FaultFleet) -> None:
    # Given a worker in a stream of jobs, two of which are long
    fleet.monitor()
    process = fleet.worker(threads=4)
    fleet.send(range(2), 3.0)
    fleet.send(range(2, JOBS), 0.003)
    fleet.await_lines("end", 200)
    pid = child(process)

    # When it is told to stop, and at once again
    process.terminate()
    eventually(lambda: "Stopping worker process" in process.errors, PATIENCE)
    process.terminate()
    process.wait(PATIENCE)
    assert not Path(f"/proc/{pid}").exists()
    assert Counter(line[1] for line in fleet.lines("end"))["0"] == 0, "it has not waited for what ran"
    fleet.worker(threads=4)

    # Then what it ran is run again by another one
    fleet.await_completed(JOBS)
    fleet.prove(completed=JOBS)
    again = [number for number, times in Counter(line[1] for line in fleet.lines("start")).items() if times > 1]
    assert set(again) >= {"0", "1"}
