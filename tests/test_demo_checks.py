"""The demo's comparison: it must be able to fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from jobfleet.cli.demo_check import DemoCheck
from jobfleet.cli.demo_checks import DemoChecks
from jobfleet.cli.demo_job import DemoJob
from jobfleet.cli.demo_witness import DemoWitness
from jobfleet.cli.smtp_sink import MailAttempt
from jobfleet.cli.webhook_receiver import ReceivedWebhook
from jobfleet.middleware.logged_job import LoggedJob
from jobfleet.middleware.logged_run import LoggedRun

#: When everything happened, in seconds since the epoch.
NOON = 1_800_000_000.0

EMAIL = DemoJob(key="a@shop.example", queue="email", tenant_id="acme", not_before=NOON)
WEBHOOK = DemoJob(key="/shaky 1", queue="webhook", tenant_id="acme", attempts=2)
JOBS = {job.key: job for job in (EMAIL, WEBHOOK)}

MAIL = MailAttempt(recipient="a@shop.example", code=250, at=NOON, message_id="<job-1@shop.example>")
FIRST = ReceivedWebhook(
    path="/shaky", webhook_id="job-2", attempt=1, payload={"order": "1"}, signed=True, status=503, at=NOON
)
SECOND = replace(FIRST, attempt=2, status=200, at=NOON + 1.1)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def run(attempt: int, outcome: str, at: float, error: str | None = None) -> LoggedRun:
    return LoggedRun(
        run=attempt,
        attempt=attempt,
        outcome=outcome,
        worker="w",
        started_at=moment(at),
        ended_at=moment(at),
        wait_ms=0,
        run_ms=0,
        error=error,
        traceback=None,
    )


def logged(job_id: str, queue: str, *runs: LoggedRun) -> LoggedJob:
    return LoggedJob(
        job_id=job_id,
        tenant_id="acme",
        actor="act",
        queue=queue,
        status="completed",
        attempts=len(runs),
        priority=5,
        payload={},
        result=None,
        error=None,
        traceback=None,
        created_at=moment(NOON),
        started_at=moment(NOON),
        completed_at=moment(NOON),
        failed_at=None,
        scheduled_for=None,
        idempotency_key=None,
        worker="w",
        progress=None,
        progress_note=None,
        wait_ms=0,
        run_ms=0,
        runs=runs,
    )


LOG = {
    EMAIL.key: logged("job-1", "email", run(1, "completed", NOON)),
    WEBHOOK.key: logged("job-2", "webhook", run(1, "retry", NOON, "it answered 503"), run(2, "completed", NOON + 1.1)),
}


def failing(
    *,
    jobs: dict[str, DemoJob] | None = None,
    log: dict[str, LoggedJob] | None = None,
    mails: tuple[MailAttempt, ...] = (MAIL,),
    webhooks: tuple[ReceivedWebhook, ...] = (FIRST, SECOND),
) -> list[str]:
    witness = DemoWitness(mails, webhooks)
    checks = DemoChecks(JOBS if jobs is None else jobs, LOG if log is None else log, witness, 1_000).all()
    return [check.name for check in checks if not check.ok]


def test_what_happened_as_expected_passes_every_check() -> None:
    assert failing() == []


def test_a_run_that_was_lost_is_no_attempt() -> None:
    job = LOG[EMAIL.key]
    lost = replace(job, runs=(run(1, "postponed", NOON, "the database is away"), *job.runs))
    assert failing(log={**LOG, EMAIL.key: lost}) == []


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ({"mails": (MAIL, MAIL)}, "Every email arrived once"),
        ({"mails": ()}, "Every email arrived once"),
        ({"mails": (replace(MAIL, message_id="<job-9@shop.example>"),)}, "Every email arrived once"),
        ({"mails": (replace(MAIL, at=NOON - 0.5),)}, "Every delayed job waited for its time"),
        ({"mails": (replace(MAIL, at=NOON + 60),)}, "Every attempt was seen when the log says that it ran"),
        ({"webhooks": (FIRST, replace(SECOND, at=NOON + 0.9))}, "Every retried job waited for its backoffs"),
        ({"webhooks": (FIRST, replace(SECOND, signed=False))}, "Every webhook came with right signatures"),
        ({"webhooks": (FIRST, replace(SECOND, attempt=1))}, "Every webhook came with right signatures"),
        ({"webhooks": (replace(FIRST, status=500), SECOND)}, "The answers of mail server and endpoints"),
        ({"log": {EMAIL.key: LOG[EMAIL.key]}}, "The job log has every job"),
        ({"log": {**LOG, EMAIL.key: replace(LOG[EMAIL.key], status="failed")}}, "The job log has every job"),
        ({"log": {**LOG, EMAIL.key: replace(LOG[EMAIL.key], attempts=2)}}, "The job log counts the attempts"),
        ({"log": {**LOG, EMAIL.key: replace(LOG[EMAIL.key], runs=())}}, "The timeline of every job has a row"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value.replace(" ", "_"),
)
def test_whatever_happened_otherwise_fails_a_check(told: dict[str, object], complaint: str) -> None:
    assert [name for name in failing(**told) if name.startswith(complaint)]  # type: ignore[arg-type]


def test_a_difference_is_named() -> None:
    check = DemoCheck.same("Attempts", {"a": 1, "b": 2}, {"a": 1, "b": 3})

    assert not check.ok
    assert check.found == "1 differ, such as b: expected 2, found 3"
