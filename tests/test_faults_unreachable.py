"""Redis out of reach for longer than two leases: connections that are cut, and connections that hang."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from dramatiq.errors import ConnectionClosed
from faults_fleet import PATIENCE, FaultFleet, child, fault_fleet
from faults_proxy import Proxy
from faults_sender import Sender
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.broker.leases import Leases
from jobfleet.broker.membership import Introduction, Membership

#: Seconds after which a send has been refused, with all its repeats, when the server hangs.
REFUSED_WITHIN = 30.0
FAULTS: dict[str, Callable[[Proxy], None]] = {"cut": Proxy.cut, "hanging": Proxy.hang}


@pytest.mark.parametrize("fail", FAULTS.values(), ids=FAULTS.keys())
def test_nobody_is_declared_lost_when_redis_was_away_for_more_than_two_leases(
    tmp_path: Path, fleet_environment: dict[str, str], fail: Callable[[Proxy], None]
) -> None:
    with fault_fleet(tmp_path, fleet_environment) as fleet:
        suffer(fleet, fail, jobs=200, seconds=4.5)


@pytest.mark.soak
@pytest.mark.parametrize("fail", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("seconds", [30.0, 45.0])
def test_nobody_is_declared_lost_when_redis_was_away_for_real_leases(
    tmp_path: Path, fleet_environment: dict[str, str], fail: Callable[[Proxy], None], seconds: float
) -> None:
    with fault_fleet(tmp_path, fleet_environment, lease_ms=15_000) as fleet:
        suffer(fleet, fail, jobs=3_000, seconds=seconds)


def suffer(fleet: FaultFleet, fail: Callable[[Proxy], None], jobs: int, seconds: float) -> None:
    # Given two workers in a stream of short jobs with two long ones, and a sender
    fleet.monitor()
    workers = [fleet.worker(threads=4), fleet.worker(threads=4)]
    names, pids = fleet.workers(), {child(worker) for worker in workers}
    with Sender(fleet.proxy.url, fleet.namespace, range(10, 10 + jobs)) as sending:
        fleet.await_lines("end", 50)
        fleet.send(range(2), 2 * fleet.lease_ms / 1000)
        eventually(lambda: {line[1] for line in fleet.lines("start")} >= {"0", "1"}, PATIENCE)

        # When nobody reaches the server for more than two leases
        began = time.monotonic()
        fail(fleet.proxy)
        fleet.await_lines("LeaseLost", 2, seconds)
        eventually(lambda: sending.refusals, REFUSED_WITHIN)
        eventually(lambda: time.monotonic() - began > seconds, PATIENCE)
        fleet.proxy.connect()
        sending.finish(PATIENCE)

    # Then the long jobs were interrupted and have given back their leases without an attempt
    fleet.await_completed(jobs + 2, PATIENCE + 2 * seconds)
    assert {line[1] for line in fleet.lines("LeaseLost")} == {"0", "1"}

    # And nobody was declared lost: the same workers work on under the same names
    assert fleet.workers() == names
    assert {child(worker) for worker in workers} == pids
    assert fleet.counter("workers_lost") == 0
    fleet.prove(completed=jobs + 2)
    assert fleet.runs() == {"completed": jobs + 2, "released": 2}
    assert Counter(line[1] for line in fleet.lines("end")) == Counter(map(str, [0, 1, *range(10, 10 + jobs)]))

    # And the sender was told in one sentence
    assert {type(refusal) for refusal in sending.refusals} == {ConnectionClosed}
    assert all("\n" not in str(refusal) and "unreachable" in str(refusal) for refusal in sending.refusals)


@pytest.mark.parametrize("fail", FAULTS.values(), ids=FAULTS.keys())
def test_a_worker_that_alone_is_cut_off_stops_what_others_run_and_joins_again(
    tmp_path: Path, fleet_environment: dict[str, str], fail: Callable[[Proxy], None]
) -> None:
    with fault_fleet(tmp_path, fleet_environment) as fleet, Proxy(fleet.redis_socket) as line:
        # Given a worker with two long jobs, on a line of its own
        fleet.monitor()
        alone = fleet.worker(threads=2, REDIS_URL=line.url)
        (name,) = fleet.workers()
        fleet.send(range(2), 3.0)
        fleet.await_lines("start", 2)

        # When only its line fails
        fail(line)
        fleet.worker(threads=2)

        # Then it stops its jobs while the other one runs them, and works under a new name when the line is back
        fleet.await_lines("LeaseLost", 2)
        fleet.await_lines("start", 4)
        assert name not in fleet.workers()
        line.connect()
        eventually(lambda: f"{name}:1" in fleet.workers(), PATIENCE)
        fleet.await_completed(2)
        fleet.prove(completed=2)
        assert fleet.runs() == {"completed": 2, "lost": 2}
        assert alone.running


def test_a_worker_that_is_told_twice_that_it_was_given_up_joins_again_once(broker: FairBroker) -> None:
    # Given a worker that was presumed lost, which heartbeat and fetch hear at the same moment
    membership = Membership(broker.scripts, Leases(), 60_000, Introduction(1, ("work",), ()))
    membership.join()
    name = membership.worker
    assert broker.scripts.call("bury_worker", name) == 1

    # When both join again
    threads = [threading.Thread(target=membership.rejoin, args=(name,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # Then it has one new name, and no worker is left behind that nobody vouches for
    assert membership.worker == f"{name}:1"
    assert broker.client.zrange(broker.keys.workers, 0, -1) == [membership.worker.encode()]
    membership.leave()
    assert broker.audit().clean
