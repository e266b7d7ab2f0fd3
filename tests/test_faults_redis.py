"""Redis restarted, forgetful or full under load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faults_fleet import PATIENCE, FaultFleet, fault_fleet
from faults_sender import Sender
from wait import eventually

from jobfleet.broker.errors import BacklogFull

JOBS = 600


@pytest.fixture
def fleet(tmp_path: Path, fleet_environment: dict[str, str]) -> Iterator[FaultFleet]:
    with fault_fleet(tmp_path, fleet_environment) as fleet:
        yield fleet


def sender(fleet: FaultFleet, numbers: range = range(JOBS), **options: Any) -> Sender:
    return Sender(fleet.proxy.url, fleet.namespace, numbers, **options)


@pytest.mark.parametrize("crash", [False, True], ids=["restarted", "killed"])
def test_redis_that_comes_back_with_its_append_only_file_has_lost_nothing(fleet: FaultFleet, crash: bool) -> None:
    # Given senders and workers under load
    fleet.monitor()
    fleet.worker(threads=4)
    fleet.worker(threads=4)
    with sender(fleet) as sending:
        for done in (100, 250):
            fleet.await_lines("end", done)

            # When the server goes and comes back, twice
            fleet.redis.kill() if crash else fleet.redis.stop()
            fleet.redis.start()
        sending.finish(PATIENCE)

    # Then all that was accepted runs and is logged once, and nobody was declared lost
    fleet.await_completed(JOBS)
    assert {line[1] for line in fleet.lines("end")} == set(map(str, range(JOBS)))
    fleet.prove(completed=JOBS)
    assert fleet.runs()["lost"] == 0
    assert fleet.counter("workers_lost") == 0


def test_connections_that_break_again_and_again_under_load_lose_nothing(fleet: FaultFleet) -> None:
    fleet.monitor()
    fleet.worker(threads=4)
    fleet.worker(threads=4)
    with sender(fleet) as sending:
        for done in range(50, JOBS - 50, 50):
            fleet.await_lines("end", done)
            fleet.proxy.cut()
            fleet.proxy.connect()
        sending.finish(PATIENCE)

    fleet.await_completed(JOBS)
    fleet.prove(completed=JOBS)
    assert Counter(line[1] for line in fleet.lines("end")) == Counter(map(str, range(JOBS))), "none ran twice"


def test_scripts_that_are_flushed_under_load_are_sent_again(fleet: FaultFleet) -> None:
    fleet.monitor()
    fleet.worker(threads=4)
    with sender(fleet) as sending:
        for done in range(50, JOBS - 50, 20):
            fleet.await_lines("end", done)
            fleet.broker.client.script_flush()
        sending.finish(PATIENCE)
        assert sending.refusals == []

    fleet.await_completed(JOBS)
    fleet.prove(completed=JOBS)
    assert Counter(line[1] for line in fleet.lines("start")) == Counter(map(str, range(JOBS)))


def test_a_full_server_refuses_sends_and_everything_else_goes_on(fleet: FaultFleet) -> None:
    # Given a worker that runs four jobs on a server that has become full
    monitor = fleet.monitor()
    fleet.worker(threads=4)
    fleet.send(range(4), 2.0)
    fleet.await_lines("start", 4)
    client = fleet.broker.client
    room = client.info("memory")["used_memory"] + 5_000_000
    client.config_set("maxmemory", room)
    with sender(fleet, range(10, 310), pause=0.0, ballast="x" * 20_000) as sending:
        # When an application sends more than there is room for, it is told so
        eventually(lambda: sending.refusals, PATIENCE)
        client.config_set("maxmemory", 1)
        assert {type(refusal) for refusal in sending.refusals} == {BacklogFull}
        assert "memory" in str(sending.refusals[0])

        # Then what runs goes on, and workers and monitors can be replaced: the server gets empty only by them
        monitor.terminate()
        assert monitor.wait(PATIENCE).status == 0
        fleet.monitor()
        fleet.worker(threads=4)
        eventually(lambda: fleet.broker.stats(["work"])[0].waiting == 0, PATIENCE)
        fleet.await_completed(4 + sending.accepted)

        # And there is room again
        client.config_set("maxmemory", room)
        sending.finish(PATIENCE)
    fleet.await_completed(304)
    fleet.prove(completed=304)
    assert Counter(line[1] for line in fleet.lines("end")) == Counter(map(str, [*range(4), *range(10, 310)]))
