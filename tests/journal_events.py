"""Events of the journal, written as the broker's scripts write them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event as Flag
from threading import Thread
from typing import Any

import psycopg
from dramatiq import Message
from psycopg.rows import dict_row

from jobfleet.broker import FairBroker
from jobfleet.broker.scripts import pack
from jobfleet.middleware.database import Database
from jobfleet.monitoring.recorder import Recorder

#: A moment, in milliseconds since the epoch, at which the tests' jobs are sent.
SENT_MS = 1_800_000_000_000


def encoded(job_id: str = "job-1", args: Sequence[Any] = (), options: Any = None, /, **kwargs: Any) -> str:
    """A Dramatiq message as it travels."""
    return json.dumps(
        {
            "queue_name": "email",
            "actor_name": "send_email",
            "args": list(args),
            "kwargs": kwargs,
            "options": options or {},
            "message_id": job_id,
            "message_timestamp": SENT_MS,
        }
    )


def event(
    kind: str, after_ms: int = 0, job_id: str = "job-1", attempt: int = 0, worker: str = "", **detail: Any
) -> Any:
    """One event, ``after_ms`` after the job was sent."""
    return [kind, SENT_MS + after_ms, job_id, "42", "email", "send_email", attempt, worker, detail]


def enqueued(job_id: str = "job-1", after_ms: int = 0, **detail: Any) -> Any:
    given = {"priority": 5, "message": encoded(job_id, tenant_id=42), "due_ms": 0, "key": "", **detail}
    return event("enqueued", after_ms, job_id, **given)


def ended(kind: str, after_ms: int, job_id: str = "job-1", attempt: int = 1, **detail: Any) -> Any:
    """The end of a run that took 100 ms."""
    times = {"started_ms": SENT_MS + after_ms - 100, "wait_ms": 5, "run_ms": 100}
    return event(kind, after_ms, job_id, attempt, "worker-1", **{**times, **detail})


def failed(after_ms: int, job_id: str = "job-1", attempt: int = 3, **detail: Any) -> Any:
    given = {
        "error": "ValueError: no such address",
        "error_type": "ValueError",
        "traceback": "Traceback ...",
        "reason": "exhausted",
        "message": encoded(job_id, tenant_id=42),
        "priority": 3,
        "created_ms": SENT_MS,
        **detail,
    }
    return ended("failed", after_ms, job_id, attempt, **given)


def append(broker: FairBroker, *events: Any) -> str:
    """Write one entry; returns its position."""
    broker.client.hincrby(f"{broker.keys.prefix}:fleet", "events", len(events))
    position = broker.client.xadd(broker.keys.journal, {"e": pack(list(events))})
    return position.decode() if isinstance(position, bytes) else position


def rows(database_url: str, query: str, *values: Any) -> list[dict[str, Any]]:
    """What a query finds."""
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        return connection.execute(query.encode(), values).fetchall()


def job(database_url: str, job_id: str = "job-1") -> dict[str, Any]:
    """The row of a job in the log."""
    return rows(database_url, "SELECT * FROM job_logs WHERE job_id = %s", job_id)[0]


def runs(database_url: str, job_id: str = "job-1") -> list[dict[str, Any]]:
    """The timeline of a job."""
    return rows(database_url, "SELECT * FROM job_attempts WHERE job_id = %s ORDER BY run", job_id)


@contextmanager
def recording(broker: FairBroker, database_url: str) -> Iterator[Recorder]:
    """A recorder at work, stopped at the end."""
    database, stop = Database(database_url), Flag()
    recorder = Recorder(broker, database)
    thread = Thread(target=recorder.run, args=(stop,))
    thread.start()
    try:
        yield recorder
    finally:
        stop.set()
        thread.join(timeout=30)
        database.close()
        assert not thread.is_alive()


def kinds_of(broker: FairBroker, message: Message[Any]) -> list[str]:
    """What the journal tells of a job, in order; that it started is left out, as only long runs have it."""
    events = [event for entry in broker.journal.read(count=10_000) for event in entry.events]
    return [event.kind for event in events if event.job_id == message.message_id and event.kind != "started"]
