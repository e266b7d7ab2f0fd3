"""Lines of a log, one by one."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from dramatiq import Message
from job_context import running
from log_lines import job_of, json_lines

from jobfleet.broker.errors import ConfigurationError
from jobfleet.broker.journal import Entry, Event
from jobfleet.broker.lease import current_lease
from jobfleet.broker.settings import settings
from jobfleet.cli.process_log import LogFormat, ProcessLog
from jobfleet.middleware.job_fields import JobFields
from jobfleet.middleware.json_log import JsonLog
from jobfleet.middleware.logs import resolved_format
from jobfleet.middleware.stderr_log import StderrLog
from jobfleet.middleware.text_log import TextLog
from jobfleet.monitoring import notices

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """A logger whose lines go to standard error as JSON."""
    handler = StderrLog()
    handler.setFormatter(JsonLog())
    handler.addFilter(JobFields())
    logger = logging.getLogger("jobfleet.monitoring.notices")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield logger
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def only_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = json_lines(capsys.readouterr().err)
    return line


def test_a_line_outside_of_any_job(logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logger.info("%d of %s", 3, "five", extra={"size": 3})

    line = only_line(capsys)
    assert (line["level"], line["logger"], line["message"]) == ("INFO", logger.name, "3 of five")
    assert (line["pid"], line["thread"], line["size"]) == (os.getpid(), "MainThread", 3)
    assert job_of(line) == (None,) * 6


def test_a_line_within_a_job_and_one_about_another(logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    with running(job_id="one", tenant_id="42", queue="report", attempt=2) as job:
        lease = current_lease()
        assert lease is not None
        lease.options["traceparent"] = f"00-{TRACE}-00f067aa0ba902b7-01"
        logger.info("mine")
        assert job_of(only_line(capsys)) == ("one", "42", "report", "a_test", 2, TRACE)

        lease.options["traceparent"] = "nonsense"
        logger.info("mine")
        assert job_of(only_line(capsys)) == ("one", "42", "report", "a_test", 2, None)

        logger.info("another's", extra={**job.fields(), "job_id": "two"})
        assert job_of(only_line(capsys))[0] == "two"


def test_whatever_is_logged_is_one_line_of_json(logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError("a \udcff in\ntwo lines")
    except ValueError:
        logger.exception("caught\n\u2028%r", object(), extra={"odd": {1, 2}, "bytes": b"\xff"})

    line = only_line(capsys)
    assert line["exception"].startswith("Traceback (most recent call last)")
    assert line["exception"].endswith("ValueError: a \udcff in\ntwo lines")


def test_a_messages_arguments_are_not_logged(logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    message: Message[Any] = Message("default", "sign_in", ("sesame",), {"token": "sesame"}, {})

    logger.error("Failed to process message %s with %s.", message, "an exception")

    assert only_line(capsys)["message"] == "Failed to process message sign_in with an exception."


def test_a_person_reads_the_job_behind_the_message() -> None:
    record = logging.makeLogRecord({"levelname": "INFO", "name": "shop", "msg": "sold\x1b[2J %s", "args": ("it",)})
    with running(job_id="one", tenant_id="42", queue="report"):
        JobFields().filter(record)

    line = TextLog().format(record)

    assert line.endswith(
        "INFO     shop: sold\N{REPLACEMENT CHARACTER}[2J it  [job_id=one tenant=42 queue=report actor=a_test attempt=1]"
    )


def test_what_the_monitor_tells_of_lost_and_dead_jobs(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given entries of the journal about one job
    def event(kind: str, **detail: object) -> Event:
        return Event(kind, 1_000, "one", "42", "report", "close", 2, "host/1", detail)

    encoded = json.dumps({"options": {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}})
    events = [
        event("completed"),
        event("lost", reason="its lease ended"),
        event("failed", reason="worker_lost", error="the worker was lost twice", message=encoded),
    ]

    # When the recorder tells of them
    notices.tell([Entry("1-0", events)])

    # Then those that need it have a line
    lost, dead = json_lines(capsys.readouterr().err)
    assert "was lost with its worker and waits again: its lease ended" in lost["message"]
    assert job_of(lost) == ("one", "42", "report", "close", 2, None)
    assert "is a dead letter: the worker was lost twice" in dead["message"]
    assert (*job_of(dead), dead["reason"], dead["worker"]) == (
        *("one", "42", "report", "close", 2, TRACE),
        *("worker_lost", "host/1"),
    )


def test_a_terminal_gets_text_and_anything_else_json(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, person = os.openpty()
    reader, pipe = os.pipe()
    assert (resolved_format(person), resolved_format(pipe)) == ("text", "json")

    for chosen in ("json", "text"):
        monkeypatch.setenv("JOBFLEET_LOG_FORMAT", chosen)
        settings.cache_clear()
        assert (resolved_format(person), resolved_format(pipe)) == (chosen, chosen)

    for number in (terminal, person, reader, pipe):
        os.close(number)


def test_a_format_that_there_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBFLEET_LOG_FORMAT", "xml")
    settings.cache_clear()

    with pytest.raises(ConfigurationError, match="JOBFLEET_LOG_FORMAT is \"xml\".*'auto', 'json' or 'text'"):
        resolved_format()


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a process's own choice end with the test."""
    monkeypatch.setenv("JOBFLEET_LOG_FORMAT", "auto")


def test_what_a_child_writes_passes_as_it_is_or_becomes_a_line(unset: None, capsys: pytest.CaptureFixture[str]) -> None:
    log = ProcessLog(LogFormat.JSON, sys.__stdout__.fileno() if sys.__stdout__ else 1)
    whole = json.dumps(dict.fromkeys(("level", "logger", "message", "pid", "thread"), "") | {"timestamp": "Z"})

    for line in (whole, "{broken", "", "Traceback"):
        log.say_for("worker-1", line)
    log.say("stopping")

    lines = json_lines(capsys.readouterr().out)
    assert [(line["logger"], line["message"]) for line in lines] == [
        *(("", ""), ("worker-1", "{broken"), ("worker-1", "Traceback"), ("jobfleet", "stopping")),
    ]
    assert log.environment["JOBFLEET_LOG_FORMAT"] == "json"


def test_a_person_sees_who_wrote_what(unset: None, capsys: pytest.CaptureFixture[str]) -> None:
    log = ProcessLog(LogFormat.TEXT)

    log.say_for("monitor", "metrics at")
    log.say("stopping")

    assert capsys.readouterr().out == "monitor | metrics at\nstopping\n"
