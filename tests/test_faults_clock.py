"""Clocks that are an hour wrong: a worker's own, and the server's, which jumps."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from dramatiq import Message
from faults_clock import AdjustableClock, write_wrong_clock
from faults_fleet import HERE, PATIENCE, FaultFleet, fault_fleet, kill, nap
from journal_events import rows
from wait import eventually

HOUR = 3_600
#: Seconds between a job's sending and its first run, and between its first and its second run.
WAITS = """
SELECT extract(epoch FROM first.started_at - job.created_at) AS before_first,
       extract(epoch FROM second.started_at - first.ended_at) AS before_second
FROM job_logs AS job
JOIN job_attempts AS first ON first.job_id = job.job_id AND first.run = 1
LEFT JOIN job_attempts AS second ON second.job_id = job.job_id AND second.run = 2
WHERE job.job_id = ANY(%s)
"""


@pytest.mark.parametrize("shift", [HOUR, -HOUR], ids=["ahead", "behind"])
def test_a_worker_whose_clock_is_an_hour_wrong_runs_nothing_early_and_lets_nothing_expire(
    tmp_path: Path, fleet_environment: dict[str, str], shift: int
) -> None:
    with fault_fleet(tmp_path, fleet_environment) as fleet:
        # Given one worker, whose clock is wrong
        fleet.monitor()
        wrong = write_wrong_clock(tmp_path / "wrong-clock", shift)
        fleet.worker(threads=4, PYTHONPATH=f"{wrong}{os.pathsep}{HERE}")

        # When it gets delayed jobs, jobs that are retried, jobs that expire in half an hour, one longer than its lease
        long = fleet.send(range(1), 1.5 * fleet.lease_ms / 1000)
        delayed = fleet.send(range(1, 6), delay=1_500)
        retried = send_all(fleet, [Message("work", "flaky", (number,), {}, {}) for number in range(6, 11)])
        half_an_hour = HOUR * 1000 // 2
        expiring = send_all(fleet, [nap(number).copy(options={"max_age": half_an_hour}) for number in range(11, 16)])
        fleet.await_completed(16)

        # Then nothing ran early, nothing expired, and no lease did
        fleet.prove(completed=16)
        assert fleet.runs() == {"completed": 16, "retry": 5}
        assert all(row["before_first"] >= 1.5 for row in rows(fleet.database_url, WAITS, delayed))
        assert all(row["before_second"] >= 0.2 for row in rows(fleet.database_url, WAITS, retried))
        assert len(rows(fleet.database_url, WAITS, [*long, *expiring])) == 6


@pytest.mark.parametrize(
    ("shift", "away_for", "outcome"),
    [(25 * HOUR, 60, "postponed"), (-25 * HOUR, 25 * HOUR, "retry")],
    ids=["ahead", "behind"],
)
def test_a_worker_whose_clock_is_a_day_wrong_puts_a_job_off_as_long_as_others_do(
    tmp_path: Path, fleet_environment: dict[str, str], shift: int, away_for: int, outcome: str
) -> None:
    with fault_fleet(tmp_path, fleet_environment) as fleet:
        # Given a job whose need has been away for a minute, or for longer than it is put off
        since = server_now(fleet) - away_for
        (job_id,) = send_all(fleet, [Message("work", "needy", (), {}, {"unavailable_since": since})])

        # When a worker whose clock is wrong runs it
        wrong = write_wrong_clock(tmp_path / "wrong-clock", shift)
        fleet.worker(threads=1, module="faults_away_actors", PYTHONPATH=f"{wrong}{os.pathsep}{HERE}")

        # Then it is put off again, or has used an attempt
        eventually(lambda: len(fleet.events()) > 1, PATIENCE)
        assert [event.kind for event in fleet.events() if event.job_id == job_id][:2] == ["enqueued", outcome]
        report = fleet.broker.audit()
        assert report.clean, str(report)


def send_all(fleet: FaultFleet, messages: list[Message[Any]]) -> list[str]:
    fleet.broker.enqueue_many(messages)
    return [message.message_id for message in messages]


def test_a_server_whose_clock_jumps_an_hour_ahead_and_back_loses_nobody(
    tmp_path: Path, fleet_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = AdjustableClock(tmp_path / "clock")
    with monkeypatch.context() as patch:
        for name, value in clock.environment.items():
            patch.setenv(name, value)
        opened = fault_fleet(tmp_path, fleet_environment)
        fleet = opened.__enter__()
    try:
        suffer_jumps(fleet, clock)
    finally:
        opened.__exit__(None, None, None)


def suffer_jumps(fleet: FaultFleet, clock: AdjustableClock) -> None:
    # Given a worker with a backlog that lasts longer than both jumps, and one that will die
    fleet.monitor()
    worker = fleet.worker(threads=4)
    fleet.send(range(40), 0.8)
    fleet.await_lines("start", 4)
    (name,) = fleet.workers()

    # When the clock jumps ahead, for longer than two leases
    clock.shift(HOUR)
    eventually(lambda: server_now(fleet) > time.time() + HOUR / 2, PATIENCE)
    victim = fleet.worker(threads=1)
    (other,) = fleet.workers() - {name}
    fleet.await_lines("end", 16)
    assert fleet.workers() == {name, other}

    # And a worker dies just before the clock is corrected
    kill(victim)
    clock.shift(0)

    # Then the fleet's clock follows, the dead one's job is taken back, nobody else is lost, and all run once
    eventually(lambda: fleet_now(fleet) < time.time() + HOUR / 2, PATIENCE)
    eventually(lambda: fleet.workers() == {name}, PATIENCE)
    delayed = fleet.send(range(100, 105), delay=1_000)
    fleet.await_completed(45)
    fleet.prove(completed=45)
    assert worker.running
    assert fleet.counter("workers_lost") == 1
    assert fleet.lines("LeaseLost") == []
    assert all(row["before_first"] >= 1.0 for row in rows(fleet.database_url, WAITS, delayed))


def server_now(fleet: FaultFleet) -> float:
    """What the server's clock says, in seconds."""
    seconds, _ = fleet.broker.client.time()
    return float(seconds)


def fleet_now(fleet: FaultFleet) -> float:
    """What time it is in the fleet, in seconds."""
    return float(fleet.broker.client.hget(f"{fleet.broker.keys.prefix}:fleet", "last") or 0) / 1000
