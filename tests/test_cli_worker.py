"""Processes of a fleet: worker, monitor, and a person who follows a job."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import parsed, refused, run
from dramatiq import Message
from process_tree import all_gone, descendants
from processes import Process
from wait import eventually

from jobfleet.broker import FairBroker

#: An application's module; its actor tells of its runs in a file.
SHOP = """
import os, pathlib, time
import dramatiq

@dramatiq.actor(queue_name="report", max_retries=0)
def close_month(month, seconds=0.0, *, tenant_id):
    pathlib.Path(f"started-{month}").touch()
    time.sleep(seconds)
    if month == "never":
        raise ValueError("there is no such month")
    pathlib.Path(f"closed-{month}").touch()
"""

#: An application's module that has set a broker of its own.
STRANGER = """
import dramatiq
from dramatiq.brokers.stub import StubBroker
dramatiq.set_broker(StubBroker())
"""


@pytest.fixture
def application(tmp_path: Path) -> Path:
    """The folder of an application, in which its commands run."""
    folder = tmp_path / "application"
    folder.mkdir()
    (folder / "shop.py").write_text(SHOP)
    (folder / "stranger.py").write_text(STRANGER)
    return folder


@pytest.fixture
def worker(application: Path, fleet_environment: dict[str, str]) -> Iterator[Process]:
    """A worker of the application's queue that runs one job at a time."""
    command = ["jobfleet", "worker", "shop", "-Q", "report", "-t", "1"]
    with Process(command, fleet_environment, cwd=application) as process:
        yield process


def send(broker: FairBroker, month: str, seconds: float = 0.0, *, queue: str = "report", tenant_id: int = 42) -> str:
    job: Message[Any] = Message(
        queue_name=queue,
        actor_name="close_month",
        args=(month, seconds),
        kwargs={"tenant_id": tenant_id},
        options={},
    )
    broker.enqueue(job)
    return job.message_id


def test_a_worker_finishes_what_runs_and_gives_back_the_rest(
    worker: Process, broker: FairBroker, application: Path
) -> None:
    # Given a worker that runs the first of three jobs
    jobs = [send(broker, month, 0.5) for month in ("may", "june", "july")]
    worker.says("worker of report: 1 x 1 threads")
    eventually((application / "started-may").exists, timeout=30)

    # When it is told to stop
    worker.terminate()
    outcome = worker.wait()

    # Then it ends well, the job that ran is done, and the rest waits for another worker
    assert outcome.status == 0, outcome
    assert (application / "closed-may").exists()
    assert broker.stats(["report"])[0].active == 0
    states = [getattr(broker.get(job_id), "state", "over") for job_id in jobs]
    assert states.count("pending") == sum(not (application / f"closed-{m}").exists() for m in ("may", "june", "july"))
    assert states[-1] == "pending"
    assert broker.audit().clean


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells a child of its parent's death")
def test_a_worker_that_is_killed_leaves_no_process_behind(worker: Process) -> None:
    worker.says("ready for action")
    below = descendants(worker.pid)
    assert len(below) == 2

    worker.kill()
    eventually(lambda: all_gone(below))


def test_a_module_with_a_broker_of_its_own_is_refused(application: Path, fleet_environment: dict[str, str]) -> None:
    with Process(["jobfleet", "worker", "stranger"], fleet_environment, cwd=application) as process:
        refused(process.wait(), "stranger", "broker of its own")


def test_a_job_followed_to_its_end(
    broker: FairBroker, application: Path, fleet_environment: dict[str, str], worker: Process
) -> None:
    # Given a fleet with a monitor, a worker that is still on its way, and a person who follows two jobs
    jobs = [send(broker, "may"), send(broker, "never")]
    environment = fleet_environment
    with Process(["jobfleet", "monitor"], environment) as monitor:
        monitor.says("monitor of")
        good, bad = (run(environment, "jobs", "follow", "--until-done", job_id) for job_id in jobs)

        # Then the follower ends with the job, and tells by the exit code how
        assert (good.status, bad.status) == (0, 1), (good, bad)
        assert "completed" in good.output
        assert "failed" in bad.output

        # And the log has both
        def logged() -> dict[str, str]:
            return {row["job_id"]: row["status"] for row in parsed(run(environment, "jobs", "list", "--json"))}

        eventually(lambda: logged() == {jobs[0]: "completed", jobs[1]: "failed"})

        # And the monitor stops when it is told to
        monitor.terminate()
        assert monitor.wait().status == 0


def test_events_are_printed_as_they_happen(broker: FairBroker, fleet_environment: dict[str, str]) -> None:
    # Given followers of one tenant and of another queue
    follow = ["jobfleet", "jobs", "follow"]
    with (
        Process([*follow, "--tenant", "42", "--json"], fleet_environment) as follower,
        Process([*follow, "--queue", "email"], fleet_environment) as other,
    ):
        # When jobs are sent, again and again until both listen
        eventually(lambda: send(broker, "may") in follower.output, timeout=30)
        eventually(lambda: send(broker, "june", queue="email", tenant_id=7) in other.output, timeout=30)

        # Then each tells of its own, and both end with Ctrl-C, which is no failure
        for process in (follower, other):
            process.interrupt()
        seen, unseen = follower.wait(), other.wait()
    assert (seen.status, unseen.status) == (0, 0), unseen
    assert {(event["kind"], event["tenant_id"]) for event in map(json.loads, seen.output.splitlines())} == {
        ("enqueued", "42")
    }
    assert {tuple(line.split()[i] for i in (1, 3, 4)) for line in unseen.output.splitlines()} == {
        ("enqueued", "email", "7")
    }
