"""Real worker processes, started by Dramatiq's own command, killed and stopped."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from dramatiq import Message
from processes import Process
from wait import eventually

from jobfleet.broker import FairBroker

HERE = Path(__file__).parent


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """The file in which the actors note what they do."""
    path = tmp_path / "record"
    path.touch()
    return path


@pytest.fixture
def environment(redis_url: str, namespace: str, record: Path, fleet_environment: dict[str, str]) -> dict[str, str]:
    """What the worker processes see; leases are short so that the test need not wait for long ones."""
    return fleet_environment | {
        "RECORD_FILE": str(record),
        "JOBFLEET_LEASE_MS": "2000",
        "PYTHONPATH": str(HERE),
    }


def worker(environment: dict[str, str], threads: int = 4) -> Process:
    command = ["dramatiq", "actors_for_tests", "-p", "1", "-t", str(threads), "-Q", "work"]
    return Process(command, environment)


def work(number: int, seconds: float = 0.0) -> Message[Any]:
    return Message(queue_name="work", actor_name="work", args=(number, seconds), kwargs={}, options={})


def lines(record: Path) -> list[list[str]]:
    return [line.split() for line in record.read_text().splitlines()]


def test_kill_9_of_one_of_two_workers_loses_nothing(
    broker: FairBroker, environment: dict[str, str], record: Path
) -> None:
    with worker(environment) as first, worker(environment) as second:
        for process in (first, second):
            process.says("ready for action")
        broker.enqueue_many([work(n, 0.002) for n in range(2_000)])
        pids = eventually(lambda: found if len(found := {line[2] for line in lines(record)}) == 2 else None, 60)
        # Dramatiq's command is a parent with one child here; the child is the worker.
        victim = child_of(first.pid)
        assert victim in pids
        os.kill(int(victim), signal.SIGKILL)
        eventually(lambda: broker.stats(["work"])[0].completed == 2_000, 90)

    started = Counter(line[1] for line in lines(record) if line[0] == "start")
    ended = Counter(line[1] for line in lines(record) if line[0] == "end")
    assert set(ended) == {str(n) for n in range(2_000)}, "every job ran to its end"
    in_flight = {line[1] for line in lines(record) if line[2] == victim and line[0] == "start"} - {
        line[1] for line in lines(record) if line[2] == victim and line[0] == "end"
    }
    twice = {number for number, times in started.items() if times > 1}
    assert len(in_flight) <= 4
    # Only what the killed worker still held ran twice: what ran, and what had ended but was not settled yet.
    events = [event for entry in broker.journal.read(count=100_000) for event in entry.events]
    lost = {event.job_id for event in events if event.kind == "lost"}
    numbers = {
        event.job_id: str(json.loads(event.detail["message"])["args"][0])
        for event in events
        if event.kind == "enqueued"
    }
    assert twice <= {numbers[job_id] for job_id in lost}
    assert len(lost) <= 64
    assert broker.audit().clean, str(broker.audit())


def child_of(pid: int) -> str:
    """The only child of a process."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]


def test_sigterm_gives_back_what_has_not_started_at_once_and_finishes_what_runs(
    broker: FairBroker, environment: dict[str, str], record: Path
) -> None:
    broker.enqueue_many([work(n, 3.0 if n < 2 else 0.0) for n in range(30)])
    with worker(environment, threads=2) as process:
        eventually(lambda: len(lines(record)) == 2, 30)
        process.terminate()
        eventually(lambda: broker.stats(["work"])[0].waiting == 28)
        assert broker.stats(["work"])[0].active == 2, "the two that run are still held"
        assert len(lines(record)) == 2, "and nothing else has started"
        outcome = process.wait(30)
    assert outcome.status == 0
    (stats,) = broker.stats(["work"])
    assert (stats.waiting, stats.active, stats.completed) == (28, 0, 2)
    assert broker.client.zcard(broker.keys.workers) == 0, "it has left the fleet"
    assert broker.audit().clean


def test_dramatiqs_command_runs_the_fleets_actors_unmodified(
    broker: FairBroker, fleet_environment: dict[str, str]
) -> None:
    with Process(["dramatiq", "jobfleet.actors", "-Q", "email", "-p", "1", "-t", "10"], fleet_environment) as process:
        process.says("ready for action")
        eventually(lambda: broker.client.zcard(broker.keys.workers) == 1)
        ((name, _),) = broker.commands.zscan_iter(broker.keys.workers, count=10)
        facts = broker.client.hgetall(broker.keys.worker(name.decode()))
        assert (facts[b"threads"], facts[b"queues"]) == (b"10", b"email")
        assert b"jobfleet.send_email" in broker.client.hgetall(broker.keys.actors)
        process.terminate()
        assert process.wait(30).status == 0


def test_a_second_signal_leaves_at_once(broker: FairBroker, environment: dict[str, str], record: Path) -> None:
    broker.enqueue_many([work(1, 60.0)])
    with worker(environment, threads=1) as process:
        eventually(lambda: len(lines(record)) == 1, 30)
        process.terminate()
        eventually(lambda: "Stopping worker process" in process.errors)
        process.terminate()
        process.wait(30)
    assert broker.audit().clean, str(broker.audit())
