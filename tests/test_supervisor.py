"""`jobfleet worker` replaces what dies, leaves the rest alone, and ends well."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from dramatiq import Message
from process_tree import all_gone, children, descendants
from processes import Process
from wait import eventually

from jobfleet.broker import FairBroker

HERE = Path(__file__).parent

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")

Start = Callable[..., Process]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """The file in which the actors note what they do."""
    path = tmp_path / "record"
    path.touch()
    return path


@pytest.fixture
def start(record: Path, fleet_environment: dict[str, str]) -> Iterator[Start]:
    """Starts a supervisor; it and everything below it is gone after the test."""
    environment = fleet_environment | {"RECORD_FILE": str(record), "PYTHONPATH": str(HERE), "JOBFLEET_LEASE_MS": "2000"}
    started: list[Process] = []

    def start(module: str = "supervised_actors", *, processes: int = 2, threads: int = 2, cwd: Path = HERE) -> Process:
        command = ["jobfleet", "worker", module, "-Q", "report", "-p", str(processes), "-t", str(threads)]
        started.append(Process(command, environment, cwd=cwd))
        return started[-1]

    yield start
    for process in started:
        # What it watches over has process groups of its own and ends with it.
        below = descendants(process.pid)
        process.end()
        for pid in below:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def message(actor: str, number: int, *rest: object) -> Message[Any]:
    return Message(queue_name="report", actor_name=actor, args=(number, *rest), kwargs={}, options={})


def noted(record: Path, word: str) -> list[list[str]]:
    return [line.split() for line in record.read_text().splitlines() if line.startswith(word)]


def workers(supervisor: Process) -> list[int]:
    """The processes that run jobs: each is the only child of a child."""
    return [worker for child in children(supervisor.pid) for worker in children(child)]


def ready(supervisor: Process, times: int) -> bool:
    return supervisor.errors.count("ready for action") >= times


def test_a_killed_process_is_replaced_and_its_sibling_works_on(start: Start, broker: FairBroker, record: Path) -> None:
    # Given two processes under load
    broker.enqueue_many([message("work", number, 0.02) for number in range(400)])
    supervisor = start()
    eventually(lambda: len({line[2] for line in noted(record, "end")}) == 2, timeout=60)
    victim, sibling = workers(supervisor)

    # When one is killed
    os.kill(victim, signal.SIGKILL)

    # Then it is replaced at once, its sibling is the one that it was, and every job completes
    supervisor.says("ended with exit code 1, starting it again at once")
    eventually(lambda: broker.stats(["report"])[0].completed == 400, timeout=60)
    now = eventually(lambda: found if len(found := workers(supervisor)) == 2 else None) or []
    assert sibling in now
    assert victim not in now
    assert {line[1] for line in noted(record, "end")} == {str(number) for number in range(400)}

    supervisor.terminate()
    assert supervisor.wait().status == 0
    assert broker.audit().clean, str(broker.audit())


def test_a_process_that_lost_a_thread_is_replaced(start: Start, broker: FairBroker, record: Path) -> None:
    # When a job takes a thread with it that nothing interrupts
    stuck = message("waits_in_c", 1)
    broker.enqueue(stuck)
    supervisor = start(processes=1)

    # Then the process ends, its successor does what comes next, and the job is dead
    supervisor.says("ended with exit code 70 (lost a thread")
    eventually(lambda: ready(supervisor, 2), timeout=30)
    broker.enqueue(message("work", 2))
    eventually(lambda: noted(record, "end 2"), timeout=30)
    letter = broker.dead_letters.show(stuck.message_id)
    assert letter is not None
    assert letter.reason == "stuck"
    supervisor.terminate()
    assert supervisor.wait().status == 0


def test_jobs_that_kill_their_workers_are_found_out_without_the_supervisor_giving_up(
    start: Start, broker: FairBroker, record: Path
) -> None:
    # When jobs kill every process that takes them, again and again soon after its start
    broker.enqueue_many([*(message("kills_its_worker", number) for number in range(2)), message("work", 9)])
    supervisor = start(processes=1)

    # Then they end as dead letters, the other one completes, and the pauses grew
    eventually(lambda: len(broker.dead_letters.list()) == 2 and noted(record, "end 9"), timeout=90)
    assert {letter.reason for letter in broker.dead_letters.list()} == {"worker_lost"}
    assert re.findall(r"starting it again (at once|in \d+ s)", supervisor.output)[:3] == ["at once", "in 1 s", "in 2 s"]
    assert supervisor.running
    assert broker.audit().clean, str(broker.audit())


def test_a_stop_under_load_gives_back_what_has_not_started_and_ends_well(
    start: Start, broker: FairBroker, record: Path
) -> None:
    # Given two processes that both run jobs, with many more waiting
    broker.enqueue_many([message("work", number, 0.5) for number in range(100)])
    supervisor = start()
    eventually(lambda: len({line[2] for line in noted(record, "start")}) == 2, timeout=60)

    # When they are told to stop
    supervisor.terminate()
    outcome = supervisor.wait()

    # Then what has started has ended, and the rest waits for other workers
    assert outcome.status == 0, outcome
    started, ended = noted(record, "start"), noted(record, "end")
    assert sorted(line[1] for line in started) == sorted(line[1] for line in ended)
    (stats,) = broker.stats(["report"])
    assert (stats.active, stats.completed, stats.waiting) == (0, len(ended), 100 - len(ended))
    assert broker.client.zcard(broker.keys.workers) == 0, "both have left the fleet"
    assert broker.audit().clean, str(broker.audit())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_leaves_at_once(start: Start, broker: FairBroker, record: Path, number: signal.Signals) -> None:
    # Given a job that would hold an orderly end for minutes
    broker.enqueue(message("work", 1, 300.0))
    supervisor = start()
    eventually(lambda: noted(record, "start 1"), timeout=60)
    below = descendants(supervisor.pid)

    # When two signals come
    os.kill(supervisor.pid, number)
    supervisor.says("stopping: running jobs finish first")
    os.kill(supervisor.pid, number)
    outcome = supervisor.wait()

    # Then it leaves, and nothing of it is left
    assert outcome.status == 1, outcome
    eventually(lambda: all_gone(below))


def test_nothing_outlives_a_supervisor_that_is_killed(start: Start, broker: FairBroker, record: Path) -> None:
    # Given processes, one of which runs a job
    supervisor = start()
    eventually(lambda: ready(supervisor, 2), timeout=60)
    broker.enqueue(message("work", 1, 1.0))
    eventually(lambda: noted(record, "start 1"), timeout=30)
    below = descendants(supervisor.pid)
    assert len(below) == 4

    # When the supervisor is killed
    supervisor.kill()

    # Then they finish what they run, and end
    eventually(lambda: all_gone(below), timeout=30)
    assert noted(record, "end 1")
    assert broker.audit().clean, str(broker.audit())


def test_processes_that_cannot_start_are_given_up(start: Start, tmp_path: Path) -> None:
    # Given an application's module that can be imported once, to look at its queues, and never again
    (tmp_path / "once.py").write_text(
        "import dramatiq, pathlib\n"
        "pathlib.Path('imported').mkdir()\n"
        "@dramatiq.actor(queue_name='report')\n"
        "def act(): ...\n"
    )

    outcome = start("once", processes=2, cwd=tmp_path).wait()

    # Then a few tries are made, and one sentence says what happened
    assert outcome.status == 1, outcome
    last = json.loads(outcome.output.splitlines()[-1])["message"]
    assert re.fullmatch(r"worker-\d \(process \d+\) ended with exit code 1, the 4th time .*: giving up", last)
    assert "FileExistsError" in outcome.errors


def test_a_process_whose_start_was_interrupted_does_not_stop_the_end(start: Start) -> None:
    # When the signal comes while the processes are still on their way
    supervisor = start()
    eventually(lambda: len(children(supervisor.pid)) == 2, timeout=30)
    supervisor.terminate()

    # Then they end all the same
    assert supervisor.wait().status == 0
