"""A worker that is frozen past its lease and thawed: the slots of a tenant stay its leases, no more and no fewer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dramatiq import Message
from faults_fleet import PATIENCE, FaultFleet, child, fault_fleet, freeze, thaw
from faults_proxy import Proxy
from processes import Process
from wait import eventually

from jobfleet.broker.limits import Limits

#: Milliseconds; a worker that is thawed after more than twice that ends itself.
LEASE_MS = 3_000
CONCURRENCY = 2
SMALL = Limits(plan="small", concurrency=CONCURRENCY, per_minute=1_000, weight=1, max_backlog=1_000)
TENANT = "small"
SAMPLE_SECONDS = 0.003

#: Slots as they are counted, and leases as they are.
Sample = tuple[int, int]


class Slots:
    """Looks at the slots of the tenant, whose jobs are the only ones, again and again."""

    def __init__(self, fleet: FaultFleet) -> None:
        self._fleet = fleet
        self._stop = threading.Event()
        self.samples: list[Sample] = []

    def look(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            keys = self._fleet.broker.keys
            both: Any = self._fleet.broker.client.pipeline(transaction=True)
            both.hget(f"{keys.prefix}:running", TENANT).zcard(keys.active("work"))
            counted, leases = both.execute()
            self.samples.append((int(counted or 0), leases))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look while the block runs."""
        thread = threading.Thread(target=self.look)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def prove(self) -> None:
        """They were never more than allowed, and always as many as there were leases."""
        assert max(counted for counted, _ in self.samples) == CONCURRENCY
        assert [sample for sample in self.samples if sample[0] != sample[1]] == []


def send(fleet: FaultFleet, numbers: range, seconds: float) -> None:
    messages = [
        Message[Any]("work", "naps", (number, seconds), {}, {"tenant_id": TENANT}, f"nap-{number}")
        for number in numbers
    ]
    assert fleet.broker.enqueue_many(messages) == messages


def started_by(fleet: FaultFleet, process: Process) -> set[str]:
    return {line[1] for line in fleet.lines("start") if line[2] == str(child(process))}


def most_at_once(runs: list[tuple[int, int]]) -> int:
    """How many of some spans of time overlap at most."""
    edges = sorted([(end, -1) for _, end in runs] + [(start, 1) for start, _ in runs])
    now = most = 0
    for _, step in edges:
        now += step
        most = max(most, now)
    return most


def test_late_outcomes_of_a_thawed_worker_free_no_slot(tmp_path: Path, fleet_environment: dict[str, str]) -> None:
    with fault_fleet(tmp_path, fleet_environment, lease_ms=LEASE_MS) as fleet, Proxy(fleet.redis_socket) as line:
        fleet.broker.limits.publish({"free": SMALL}, {}, version=1)
        slots = Slots(fleet)
        with slots.watched():
            # Given a worker that runs a long job and has not been able to tell of a short one; more jobs wait
            frozen = fleet.worker(threads=4, REDIS_URL=line.url)
            send(fleet, range(1), 5.0)
            send(fleet, range(1, 2), 1.0)
            fleet.await_lines("start", 2)
            line.hold_requests()
            send(fleet, range(2, 22), 0.1)
            other = fleet.worker(threads=4)
            fleet.await_lines("end", 1)

            # When it is frozen until its lease has ended and another one has started its jobs
            freeze(frozen)
            line.cut()
            line.connect()
            eventually(lambda: started_by(fleet, other) >= {"0", "1"}, PATIENCE)
            thaw(frozen)

            # Then its late outcomes change nothing, and both work on within the limit
            eventually(lambda: fleet.counter("stale_settles") >= 2, PATIENCE)
            eventually(lambda: len(fleet.workers()) == 2, PATIENCE)
            send(fleet, range(22, 42), 0.1)
            fleet.await_completed(42)
        slots.prove()

        ended = [event for event in fleet.events() if event.kind == "completed"]
        assert sorted(event.job_id for event in ended) == sorted(f"nap-{number}" for number in range(42))
        assert most_at_once([(event.detail["started_ms"], event.at_ms) for event in ended]) <= CONCURRENCY
        assert {event.job_id for event in fleet.events() if event.kind == "lost"} == {"nap-0", "nap-1"}
        assert not fleet.broker.client.hexists(f"{fleet.broker.keys.prefix}:running", TENANT)
        report = fleet.broker.audit()
        assert report.clean, str(report)
