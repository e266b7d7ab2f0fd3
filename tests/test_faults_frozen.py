"""A worker that is frozen past its lease and thawed when others have done its work."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults_fleet import PATIENCE, FaultFleet, child, fault_fleet, freeze, kill, thaw
from faults_proxy import Proxy
from processes import Process
from wait import eventually

#: Milliseconds; a worker that is thawed after more than twice that ends itself.
LONGER_LEASE_MS = 3_000


def started_by(fleet: FaultFleet, process: Process) -> set[str]:
    return {line[1] for line in fleet.lines("start") if line[2] == str(child(process))}


def test_a_thawed_worker_changes_nothing_stops_what_it_runs_and_works_on(
    tmp_path: Path, fleet_environment: dict[str, str]
) -> None:
    with fault_fleet(tmp_path, fleet_environment, lease_ms=LONGER_LEASE_MS) as fleet, Proxy(fleet.redis_socket) as line:
        fleet.monitor()
        # Given a worker that runs two long jobs and has not been able to tell of two short ones
        frozen = fleet.worker(threads=4, REDIS_URL=line.url)
        (name,) = fleet.workers()
        fleet.send(range(2), 5.0)
        fleet.send(range(2, 4), 0.5)
        fleet.await_lines("start", 4)
        line.hold_requests()
        other = fleet.worker(threads=4)
        fleet.await_lines("end", 2)

        # When it is frozen until its lease has ended and another one has started its jobs
        freeze(frozen)
        line.cut()
        line.connect()
        eventually(lambda: started_by(fleet, other) == {"0", "1", "2", "3"}, PATIENCE)
        thaw(frozen)

        # Then it interrupts what it runs, its late outcomes change nothing, and it joins under a new name
        interrupted = fleet.await_lines("LeaseLost", 2)
        assert {line[1] for line in interrupted} == {"0", "1"}
        eventually(lambda: fleet.counter("stale_settles") >= 4, PATIENCE)
        eventually(lambda: f"{name}:1" in fleet.workers(), PATIENCE)

        # And it works on when it is the only one
        fleet.await_completed(4)
        kill(other)
        fleet.send(range(10, 14))
        fleet.await_completed(8)
        assert started_by(fleet, frozen) >= {"10", "11", "12", "13"}
        fleet.prove(completed=8)
        assert fleet.runs()["lost"] == 4


@pytest.mark.soak
def test_a_worker_that_was_frozen_for_more_than_two_leases_loses_nothing(
    tmp_path: Path, fleet_environment: dict[str, str]
) -> None:
    with fault_fleet(tmp_path, fleet_environment) as fleet:
        # Given a frozen worker whose timer for a held interpreter has run out meanwhile
        fleet.monitor()
        frozen = fleet.worker(threads=2)
        (name,) = fleet.workers()
        fleet.send(range(2), 1.5)
        fleet.await_lines("start", 2)
        freeze(frozen)
        fleet.worker(threads=2)
        fleet.await_completed(2)
        eventually(lambda: fleet.still(2 * fleet.lease_ms / 1000), PATIENCE)

        # When it is thawed
        thaw(frozen)

        # Then it ends, for its supervisor to start another, or its heartbeat was quicker than the timer and it joins
        # again under a new name; its jobs ran elsewhere, once
        eventually(lambda: not frozen.running or f"{name}:1" in fleet.workers(), PATIENCE)
        fleet.send(range(10, 12))
        fleet.await_completed(4)
        fleet.prove(completed=4)
        assert fleet.runs() == {"completed": 4, "lost": 2}
