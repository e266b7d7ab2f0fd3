"""Cancel, run now, purge, pause, resume, why and who waits, by command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from typing import Any

from command import parsed, refused, run, run_all
from dramatiq import Message
from processes import Process, resolve
from scripted_worker import ScriptedWorker

from jobfleet.broker import FairBroker

LATER = 3_600_000


def send(
    broker: FairBroker,
    tenant: str,
    jobs: int = 1,
    *,
    queue: str = "email",
    actor: str = "act",
    delay: int | None = None,
) -> list[str]:
    messages = [Message[Any](queue, actor, (), {"tenant_id": tenant}, {}) for _ in range(jobs)]
    broker.enqueue_many(messages, delay=delay)
    return [message.message_id for message in messages]


def said(environment: dict[str, str], *calls: str) -> list[str]:
    return [outcome.output for outcome in run_all([call.split() for call in calls], environment)]


def test_cancel_by_filter_and_by_id(broker: FairBroker, fleet_environment: dict[str, str]) -> None:
    # Given jobs of two tenants, one of them running
    worker = ScriptedWorker(broker, queues=("email",))
    (running,) = send(broker, "1")
    worker.fetch(queue="email")
    send(broker, "1", 2)
    send(broker, "1", delay=LATER)
    (other,) = send(broker, "2")

    # When somebody asks first
    dry, objects, none = run_all(
        [
            ["cancel", "--tenant", "1", "--dry-run", "--state", "pending", "--state", "scheduled", "--state", "active"],
            ["cancel", "--queue", "email", "--dry-run", "--json"],
            ["cancel", "--actor", "nobody", "--yes"],
        ],
        fleet_environment,
    )
    # Then nothing has changed
    assert dry.output == "3 jobs would be cancelled, 1 job that runs would be interrupted\n"
    assert len(parsed(objects)["pending"]) == 3
    assert none.output == "0 jobs cancelled\n"
    assert broker.stats(["email"])[0].total == 5

    # When it is meant, it must be confirmed
    refused(run(fleet_environment, "cancel", "--tenant", "1"), "nothing was cancelled", "--yes")
    assert said(fleet_environment, "cancel --tenant 1 --yes") == ["3 jobs cancelled\n"]
    # And by id also what runs is told to stop
    outcome = run(fleet_environment, "cancel", running, other, "nobody")
    assert outcome.status == 1
    assert outcome.output.splitlines() == [
        f"{running} runs: its worker is told to stop it",
        f"{other} cancelled",
        "nobody is not there: it is over, or there never was one of this id",
    ]
    assert (broker.stats(["email"])[0].total, broker.client.hlen(broker.keys.cancels)) == (1, 1)
    assert broker.audit().clean


def test_what_to_cancel_must_be_said(fleet_environment: dict[str, str]) -> None:
    calls = [
        "cancel",
        "cancel --state pending --yes",
        "cancel some-id --queue email",
        "pause email --actor act",
        "resume",
    ]
    for outcome in run_all([call.split() for call in calls], fleet_environment):
        assert outcome.status == 2, outcome
    refused(run(fleet_environment, "cancel", "--queue", "emial", "--yes"), "unknown queue emial", "did you mean email")


def test_purge_of_a_queue(broker: FairBroker, fleet_environment: dict[str, str]) -> None:
    send(broker, "1", 3)
    send(broker, "1", 2, delay=LATER)
    kept = send(broker, "1", queue="webhook")
    assert said(fleet_environment, "queues purge email --dry-run") == ["5 jobs of email would be cancelled\n"]
    refused(run(fleet_environment, "queues", "purge", "email"), "nothing was purged", "--yes")
    assert said(fleet_environment, "queues purge email --yes") == ["5 jobs of email cancelled\n"]
    assert broker.stats(["email"])[0].total == 0
    assert broker.get(kept[0]) is not None
    assert broker.audit().clean


def test_pause_and_resume(broker: FairBroker, fleet_environment: dict[str, str]) -> None:
    (job_id,) = send(broker, "1")
    paused = run(fleet_environment, "pause", "--actor", "act")
    assert paused.output == "the actor act is paused\n"
    assert "no worker has ever served an actor act" in paused.errors
    assert said(fleet_environment, "pause email") == ["the queue email is paused\n"]
    assert said(fleet_environment, "pause") == ["actor act\nqueue email\n"]
    worker = ScriptedWorker(broker, queues=("email",))
    assert worker.fetch(queue="email") == []
    assert said(fleet_environment, "resume email") == ["the queue email goes on\n"]
    assert worker.fetch(queue="email") == []
    assert said(fleet_environment, "resume --actor act") == ["the actor act goes on\n"]
    assert said(fleet_environment, "resume --actor act", "pause") == [
        "the actor act was not paused\n",
        "nothing is paused\n",
    ]
    assert [row[0] for row in worker.fetch(queue="email")] == [job_id]
    assert broker.audit().clean


def test_why_and_run_now(broker: FairBroker, fleet_environment: dict[str, str]) -> None:
    # Given a job with a delay
    (job_id,) = send(broker, "1", delay=LATER)
    # Then it is told why it waits, and until when
    shown, as_object, listed = run_all(
        [["why", job_id], ["jobs", "why", job_id, "--json"], ["why", "nobody"]], fleet_environment
    )
    lines = shown.output.splitlines()
    assert lines[0] == f"{job_id} is scheduled: act of tenant 1 in email"
    assert "it was sent with a delay, until " in lines[1]
    assert "(in " in lines[1]
    assert lines[2] == "  no worker serves the queue email"
    found = parsed(as_object)
    assert [reason["kind"] for reason in found["reasons"]] == ["delayed", "no_worker"]
    assert found["may_run_ms"] == found["reasons"][0]["until_ms"]
    refused(listed, "unknown job nobody")
    # When it shall run now, it waits in its line
    assert said(fleet_environment, f"jobs run-now {job_id}") == [f"{job_id} is in its line now\n"]
    again = run(fleet_environment, "jobs", "run-now", job_id)
    assert (again.status, again.output) == (1, f"{job_id} waits in its line already (see `jobfleet why`)\n")
    assert "turn is next, since" in said(fleet_environment, f"why {job_id}")[0]


def test_who_waits_and_who_runs(broker: FairBroker, fleet_environment: dict[str, str]) -> None:
    assert said(fleet_environment, "tenants top") == ["no tenant has unfinished jobs\n"]
    send(broker, "1", 2)
    broker.client.hincrby(f"{broker.keys.prefix}:fleet", "last", 60_000)
    send(broker, "2", 3)
    commands = ("tenants top", "tenants top --by waiting", "tenants top --json -n 1 --by waiting")
    longest, shown, as_object = run_all([words.split() for words in commands], fleet_environment)
    rows = [line.split() for line in shown.output.splitlines()]
    assert rows[0][:4] == ["tenant", "plan", "weight", "waiting"]
    assert [row[0] for row in rows[1:]] == ["2", "1"]
    assert [line.split()[0] for line in longest.output.splitlines()] == ["tenant", "1", "2"]
    (load,) = parsed(as_object)
    assert (load["tenant_id"], load["waiting"], load["parked"]) == ("2", 3, False)


def test_who_waits_is_watched_until_interrupted(broker: FairBroker, fleet_environment: dict[str, str]) -> None:
    command = ["jobfleet", "tenants", "top", "--watch", "--interval", "0.2"]
    with Process(command, fleet_environment) as text, Process([*command, "--json"], fleet_environment) as objects:
        text.says("no tenant has unfinished jobs\n\nno tenant")
        objects.says("[]\n[]\n")
        send(broker, "initech", 2)
        text.says("initech")
        objects.says('"initech"')
        for process in (text, objects):
            process.interrupt()
            outcome = process.wait()
            assert (outcome.status, outcome.errors) == (0, "")
    loads = json.loads(outcome.output.splitlines()[-1])
    assert [(load["tenant_id"], load["waiting"]) for load in loads] == [("initech", 2)]


def test_who_waits_is_watched_on_a_terminal(broker: FairBroker, fleet_environment: dict[str, str]) -> None:
    send(broker, "initech", 2)
    ours, theirs = os.openpty()
    command = [resolve("jobfleet"), "tenants", "top", "--watch", "--interval", "0.2"]
    with (
        os.fdopen(ours, "rb", buffering=0) as screen,
        subprocess.Popen(command, env=fleet_environment, stdin=subprocess.DEVNULL, stdout=theirs) as process,
    ):
        os.close(theirs)
        shown = b""
        # It draws over what it has drawn.
        while shown.count(b"initech") < 3:
            shown += screen.read(4_096)
        process.send_signal(signal.SIGINT)
        with suppress(OSError):
            while screen.read(4_096):
                pass
        assert process.wait(timeout=30) == 0
