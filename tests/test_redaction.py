"""What an actor redacts stands in no log line of Dramatiq's."""

from __future__ import annotations

import logging

import dramatiq
import pytest
from wait import eventually
from worker_threads import StartWorker

from jobfleet.actors import actor
from jobfleet.broker import FairBroker
from jobfleet.middleware.job_log import JobLog
from jobfleet.middleware.tenant_id import TenantId


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


@pytest.mark.parametrize("own", [False, True], ids=["dramatiq's actor", "ours"])
def test_no_line_at_debug_level_shows_what_is_redacted(
    broker: FairBroker, start_worker: StartWorker, caplog: pytest.LogCaptureFixture, own: bool
) -> None:
    # Given an actor that redacts an argument, and a message that redacts one more
    broker.add_middleware(JobLog())
    declare = actor if own else dramatiq.actor

    @declare(broker=broker, redact="password")
    def sign_in(user: str, password: str, place: str, tenant_id: TenantId) -> None: ...

    with caplog.at_level(logging.DEBUG):
        # When a job runs, and the function is called outside of any
        kwargs = {"password": "hunter2", "place": "home", "tenant_id": "42"}
        sign_in.send_with_options(kwargs={"user": "ada", **kwargs}, redact=["place"])
        if not own:
            sign_in.send("ada", **kwargs)
            sign_in.send("ada", "hunter2", "abroad", "42")
        start_worker()
        broker.join("default", timeout=15_000)
        sign_in(user="bob", password="hunter2", place="office", tenant_id="42")

    # Then there is a line for each, without the values
    calls = [record.getMessage() for record in caplog.records if record.getMessage().startswith("Received args")]
    assert len(calls) == (2 if own else 4)
    assert any("'office'" in line and "'password': '[redacted]'" in line for line in calls)
    if not own:
        assert "Received args=('ada', '[redacted]', 'abroad', '42') kwargs={}." in calls
    assert "hunter2" not in caplog.text
