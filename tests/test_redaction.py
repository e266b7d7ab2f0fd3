"""What an actor redacts stands in no log line of Dramatiq's."""

from __future__ import annotations

import logging

import dramatiq
import pytest
from wait import eventually
from worker_threads import StartWorker

from jobfleet.broker import FairBroker
from jobfleet.middleware.job_log import JobLog


def test_a_failed_jobs_log_line_hides_what_its_actor_redacts(
    broker: FairBroker, start_worker: StartWorker, caplog: pytest.LogCaptureFixture
) -> None:
    # Given an actor that redacts two of its arguments, one passed by position
    broker.add_middleware(JobLog())

    @dramatiq.actor(broker=broker, max_retries=0, redact=["password", "token"])
    def log_in(user: str, password: str, *, token: str, place: str) -> None:
        raise RuntimeError("nobody gets in")

    # When a job of it fails
    with caplog.at_level(logging.INFO):
        log_in.send("ada", "hunter2", token="t0ken", place="home")
        start_worker()
        eventually(broker.dead_letters.list)

    # Then the line says which job it was without what must not be seen
    shown = "log_in('ada', '[redacted]', token='[redacted]', place='home')"
    assert f"Failed to process message {shown} with unhandled exception." in caplog.text
    assert "hunter2" not in caplog.text
    assert "t0ken" not in caplog.text
