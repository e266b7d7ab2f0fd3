"""What the processes of a fleet write: JSON lines, each with the job that it is about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from http_client import Client
from log_lines import Line, job_of, json_lines, with_message
from processes import Process, run_command
from wait import eventually

HERE = Path(__file__).parent
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SEND = f"""
from logging_actors import chain
chain = chain.with_options(traceparent="00-{TRACE}-00f067aa0ba902b7-01")
print(chain.send(tenant_id=42, secret="sesame").message_id)
"""


@pytest.fixture
def environment(fleet_environment: dict[str, str]) -> dict[str, str]:
    return fleet_environment | {"PYTHONPATH": str(HERE)}


def send(environment: dict[str, str]) -> str:
    """Send the first job of a chain from a process of its own; returns its id."""
    outcome = run_command(["python", "-c", SEND], environment)
    assert outcome.status == 0, outcome
    return outcome.output.strip()


def test_every_line_tells_its_job_and_one_trace_joins_them(environment: dict[str, str]) -> None:
    # Given a worker and a monitor, which write into files
    environment |= {"JOBFLEET_ACCESS_LOG": "true"}
    worker = Process(["jobfleet", "worker", "logging_actors", "-Q", "report", "-t", "2"], environment)
    monitor = Process(["jobfleet", "monitor"], environment)
    with worker, monitor:
        # When a job is sent by another process, in a trace, and sends others
        job_id = send(environment)
        eventually(lambda: "is a dead letter" in monitor.errors, timeout=30)
        url = with_message(json_lines(monitor.output), "metrics at")[0]["message"].split()[-1]
        with Client(url) as client:
            assert client.get("").status_code == 200
        eventually(lambda: "GET /metrics" in monitor.errors)
        for process in (worker, monitor):
            process.terminate()
            assert process.wait().status == 0

        # Then each line of both is JSON, also the first and the last
        lines = json_lines(worker.output + worker.errors)
        watched = json_lines(monitor.output + monitor.errors)

    # And each line of a run has its job: in a retry, in a coroutine, and in threads that have its context
    assert [job_of(line) for line in with_message(lines, "chain runs")] == [
        (job_id, "42", "report", "chain", 1, TRACE),
        (job_id, "42", "report", "chain", 2, TRACE),
    ]
    links = [line for line in lines if line.get("actor") == "link"]
    assert {line["message"].strip() for line in links} >= {
        "link runs",
        "link in asyncio's thread",
        "link in a thread of its own",
    }
    assert len({job_of(line) for line in links}) == 1
    assert any("link warns" in line["message"] for line in links), "a warning is a line like others"
    assert with_message(lines, "chain runs")[0]["step"] == 1

    # And so has each line of the broker, and of the monitor, which knows it from the journal
    (retried,) = with_message(lines, "Retrying message")
    assert job_of(retried) == (job_id, "42", "report", "chain", 1, TRACE)
    (given_up,) = with_message(lines, "has failed for good")
    (dead,) = with_message(watched, "is a dead letter")
    assert job_of(given_up) == job_of(dead)
    assert (dead["reason"], dead["actor"], dead["trace_id"]) == ("exhausted", "hopeless", TRACE)

    # And an exception is one field, its text whole; what a job was called with is nowhere
    failures = with_message(lines, "Failed to process message")
    assert [line["exception"].splitlines()[-1] for line in failures] == ["yet \udcff", "RuntimeError: hopeless"]
    (fallen,) = with_message(lines, "fallen has ended with an exception")
    assert "KeyError: 'fallen'" in fallen["exception"]
    assert "sesame" not in worker.command + [line["message"] for line in lines]

    # And requests are lines too
    (request,) = with_message(watched, "GET /metrics")
    assert request["logger"] == "uvicorn.access"
    assert "job_id" not in request


def test_dramatiqs_own_command_writes_them_too(environment: dict[str, str]) -> None:
    with Process(["dramatiq", "logging_application", "-p", "1", "-t", "2", "-Q", "report"], environment) as process:
        job_id = send(environment)
        eventually(lambda: "hopeless" in process.errors, timeout=30)
        process.terminate()
        assert process.wait().status == 0
        # The command itself writes some lines before and after, in its own form
        lines: list[Line] = json_lines("\n".join(line for line in process.errors.splitlines() if line[0] == "{"))

    assert [job_of(line)[:2] for line in with_message(lines, "chain runs")] == [(job_id, "42")] * 2
    assert with_message(lines, "ready for action")


def test_spans_of_sender_and_worker_are_one_trace(environment: dict[str, str], tmp_path: Path) -> None:
    # Given a worker and a sender that trace, in processes of their own; and a person who reads the worker's lines
    spans = tmp_path / "spans"
    spans.touch()
    environment |= {"SPANS_FILE": str(spans), "JOBFLEET_LOG_FORMAT": "json"}
    command = ["jobfleet", "worker", "tracing_application", "-Q", "report", "-t", "2", "--log-format", "text"]
    code = "from tracing_application import sell; sell.send(tenant_id=42)"
    with Process(command, environment) as worker:
        assert run_command(["python", "-c", code], environment).status == 0
        eventually(lambda: "process ship" in spans.read_text(), timeout=30)
        worker.terminate()
        outcome = worker.wait()
    assert outcome.status == 0, outcome
    assert outcome.output.startswith("worker of report: ")
    assert not any(line.startswith("{") for line in outcome.errors.splitlines())

    # Then each span is a child of the one before it
    found = {span["name"]: span for span in map(json.loads, spans.read_text().splitlines())}
    chain = [found[name] for name in ("send sell", "process sell", "send ship", "process ship")]
    assert len({span["context"]["trace_id"] for span in chain}) == 1
    assert [span["parent_id"] for span in chain] == [None, *(span["context"]["span_id"] for span in chain[:-1])]
