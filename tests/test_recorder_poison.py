"""Data that PostgreSQL refuses must not stop the log."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from journal_events import append, encoded, ended, enqueued, event, failed, job, recording, rows
from scraped import scrape
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.middleware.database import Database
from jobfleet.monitoring.exporter import Exporter

DEEP = '{"args": [], "kwargs": {"deep": ' + "[" * 500 + "]" * 500 + "}}"

MESSAGES = {
    "NUL bytes": encoded(text="a\0b", **{"ke\0y": 1}),
    "a lone surrogate": encoded(text="a\ud800b"),
    "no JSON": "\x00\x01 not json",
    "JSON of another shape": "[1, 2, 3]",
    "no arguments": '{"args": 7, "kwargs": 8}',
    "infinity": encoded(number=float("inf"), none=float("nan")),
    "a number beyond all bounds": '{"args": [], "kwargs": {"n": 1e999999, "m": ' + "9" * 4_000 + "}}",
    "a number that Python refuses": '{"args": [], "kwargs": {"n": ' + "9" * 9_000 + "}}",
    "deep nesting": DEEP,
    "very deep nesting": DEEP.replace("[" * 500, "[" * 90_000).replace("]" * 500, "]" * 90_000),
    "strange options": '{"args": [1], "kwargs": {"a": 1}, "options": {"redact": {"a": 1}}}',
    "nothing": "",
}

EVENTS: dict[str, Any] = {
    "a long error": ended("retry", 200, error="x" * 3_000_000, traceback="y" * 3_000_000, due_ms=0),
    "NUL in an error": ended("retry", 200, error="a\0b\udc80", traceback="\0", due_ms=0),
    "no error": ended("retry", 200, error="", traceback="", due_ms=0),
    "a dead letter with nothing in it": event("failed", 200, attempt=1),
    "a dead letter with strange text": failed(200, error="\0", error_type="E" * 9_000, reason="\udc80", traceback="\0"),
    "a result that is no JSON": ended("completed", 200, result="\0 not json"),
    "a result with NUL": ended("completed", 200, result=json.dumps({"a": "\0", "b\0": float("inf")})),
    "times out of range": ended("completed", 200, started_ms=2**62, wait_ms=-5, run_ms=2**62),
    "words for numbers": ended("completed", 200, started_ms="soon", wait_ms="long", run_ms=None),
    "an attempt out of range": ended("completed", 200, attempt=2**40),
    "progress out of range": event("progress", 200, fraction=-7.5, note="\0" * 5_000),
    "progress that is no number": event("progress", 200, fraction="half", note=7),
    "a far due time": ended("retry", 200, error="e", due_ms=2**62),
    "a strange key": enqueued(key="k\0" * 9_000, priority=99, due_ms=-1),
    "a started without detail": event("started", 200, attempt=-3, worker="w\0" * 900),
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())
def test_a_message_that_cannot_be_stored_as_it_is_still_has_rows(
    broker: FairBroker, database_url: str, message: str
) -> None:
    append(broker, enqueued("poison", message=message), enqueued("good"))
    append(broker, failed(900, "poison", message=message))

    with recording(broker, database_url):
        eventually(lambda: broker.journal.read() == [])

    assert job(database_url, "poison")["status"] == "failed"
    assert job(database_url, "good")["status"] == "pending"
    (letter,) = rows(database_url, "SELECT message FROM dead_letters")
    assert letter["message"] == (message.encode("utf-8", "surrogatepass") or b"{}")


@pytest.mark.parametrize("poison", EVENTS.values(), ids=EVENTS.keys())
def test_an_event_that_cannot_be_stored_as_it_is_still_has_a_row(
    broker: FairBroker, database_url: str, poison: Any
) -> None:
    append(broker, enqueued())
    append(broker, poison)
    append(broker, enqueued("good"))

    with recording(broker, database_url):
        eventually(lambda: broker.journal.read() == [])

    assert job(database_url)["job_type"] == "send_email"
    assert job(database_url, "good")["status"] == "pending"


def test_names_that_are_too_long_are_cut_and_stay_different(broker: FairBroker, database_url: str) -> None:
    # Given two jobs whose ids, actors and queues differ only far behind what the columns hold
    for last in ("a", "b"):
        long = "\0" + "n" * 5_000 + last
        sent, done = enqueued(long), ended("completed", 300, long)
        for given in (sent, done):
            given[3] = given[4] = given[5] = given[7] = long
        append(broker, sent)
        append(broker, done)

    # When they are recorded
    with recording(broker, database_url):
        eventually(lambda: broker.journal.read() == [])

    # Then each has its row
    found = rows(database_url, "SELECT status, job_id, queue, tenant_id FROM job_logs")
    assert [row["status"] for row in found] == ["completed", "completed"]
    assert len({row["job_id"] for row in found}) == len({row["queue"] for row in found}) == 2


def test_a_row_that_the_table_refuses_does_not_hold_up_the_others(broker: FairBroker, database_url: str) -> None:
    # Given a table that has come to refuse a payload and, for one job, everything
    with_check(database_url, "payload IS NULL OR NOT payload ? 'bad'")
    with_check(database_url, "job_id <> 'refused'")
    append(
        broker,
        enqueued("odd", message=encoded(bad=1)),
        enqueued("refused"),
        ended("completed", 100, "refused"),
        ended("completed", 100, "odd"),
        enqueued("good"),
    )

    # When the batch is recorded
    with recording(broker, database_url):
        eventually(lambda: broker.journal.read() == [])

    # Then the first has its row without the payload, the second none, the third is untouched
    found = rows(database_url, "SELECT job_id, status, payload FROM job_logs ORDER BY job_id")
    assert found == [
        {"job_id": "good", "status": "pending", "payload": {"tenant_id": 42}},
        {"job_id": "odd", "status": "completed", "payload": None},
    ]
    # And what was left out is counted: of one the payload, of the other its row and its run
    assert left_out(broker) == 3
    assert rows(database_url, "SELECT left_out FROM recorder_position") == [{"left_out": 3}]


def test_what_is_left_out_is_counted_once_whatever_becomes_of_recorder_and_redis(
    broker: FairBroker, database_url: str
) -> None:
    # Given an event that nobody can read, two entries that are none, and an effect that cannot be written
    append(broker, enqueued(), [None, "when"])
    for broken in (b"\x92broken", b"\xc1"):
        broker.client.xadd(broker.keys.journal, {"e": broken})
    append(broker, event("effect", 100, attempt=1, record="no JSON"), ended("completed", 200))

    # When one recorder has stored them, and Redis has lost its counts
    with recording(broker, database_url):
        eventually(lambda: broker.journal.read() == [])
    assert left_out(broker) == 5
    broker.client.delete(broker.keys.metrics)

    # Then the next one knows them still
    append(broker, enqueued("other"))
    with recording(broker, database_url):
        eventually(lambda: broker.journal.read() == [])
    assert left_out(broker) == 5


def left_out(broker: FairBroker) -> float:
    nowhere = Database("postgresql://nobody@127.0.0.1:1/none")
    return scrape(Exporter(broker, nowhere)).value("jobfleet_log_left_out_total")


@pytest.mark.parametrize(
    "record",
    [
        "",
        "\0 not json",
        "[1]",
        "7",
        "{}",
        '{"record": "drop_everything"}',
        '{"record": 7}',
        '{"record": "webhook_delivery"}',
    ],
)
def test_a_record_of_an_effect_that_cannot_be_written_does_not_hold_up_the_log(
    broker: FairBroker, database_url: str, caplog: pytest.LogCaptureFixture, record: str
) -> None:
    append(broker, enqueued(), event("effect", 100, attempt=1, record=record), ended("completed", 200))

    with recording(broker, database_url):
        eventually(lambda: broker.journal.read() == [])

    assert job(database_url)["status"] == "completed"
    assert "effect of job job-1 cannot be written" in caplog.text


def with_check(database_url: str, condition: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(f"ALTER TABLE job_logs ADD CHECK ({condition})".encode())
