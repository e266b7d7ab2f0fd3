"""The decorator for job types: what it asks of a function, what it checks, and on which brokers it works."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AsyncIO
from dramatiq.results import Results
from dramatiq.results.backends import StubBackend
from job_context import running

from jobfleet.actors import Actor, actor, send_email
from jobfleet.broker.errors import ConfigurationError, InvalidPayload, PermanentFailure
from jobfleet.middleware.tenant_id import TenantId


@pytest.fixture
def stub() -> Iterator[StubBroker]:
    broker = StubBroker()
    broker.emit_after("process_boot")
    yield broker
    broker.emit_before("worker_shutdown", None)
    broker.close()


@pytest.fixture
def worker(stub: StubBroker) -> Iterator[dramatiq.Worker]:
    worker = dramatiq.Worker(stub, worker_timeout=50, worker_threads=2)
    worker.start()
    yield worker
    worker.stop()


def drain(broker: StubBroker, worker: dramatiq.Worker) -> None:
    broker.join("default", timeout=10_000)
    worker.join()


def test_a_function_without_tenant_is_refused_when_it_is_declared(stub: StubBroker) -> None:
    with pytest.raises(ConfigurationError, match="careless takes no tenant_id; every job belongs to a tenant"):

        @actor(broker=stub)
        def careless(*, x: int) -> None: ...


def test_a_tenant_with_a_default_is_refused(stub: StubBroker) -> None:
    with pytest.raises(ConfigurationError, match="tenant_id must have no default"):

        @actor(broker=stub)
        def forgetful(*, tenant_id: TenantId = "acme") -> None: ...


def test_arguments_that_have_no_name_are_refused(stub: StubBroker) -> None:
    with pytest.raises(ConfigurationError, match="cannot be given by name"):

        @actor(broker=stub)
        def positional(x: int, /, *, tenant_id: TenantId) -> None: ...

    with pytest.raises(ConfigurationError, match="cannot be given by name"):

        @actor(broker=stub)
        def many(*rest: int, tenant_id: TenantId) -> None: ...


def test_all_ways_of_sending_are_checked(stub: StubBroker) -> None:
    @actor(broker=stub)
    def job(*, tenant_id: TenantId, x: int) -> None: ...

    wrong: dict[str, Any] = {"tenant_id": 1, "x": "many"}
    ways = (
        lambda: job.send(**wrong),
        lambda: job.send_with_options(kwargs=wrong),
        lambda: job.message(**wrong),
        lambda: job.message_with_options(kwargs=wrong),
        lambda: job.with_options(priority=1).send(**wrong),
        lambda: job.with_options(priority=1).message(**wrong),
        lambda: job.message(tenant_id=1, x=1) | job.message(**wrong),
    )
    for way in ways:
        with pytest.raises(InvalidPayload) as caught:
            way()
        assert caught.value.field == "x"
    assert stub.queues["default"].empty()


def test_an_option_that_nobody_knows_is_refused_when_it_is_declared(stub: StubBroker) -> None:
    with pytest.raises(ValueError, match="actor options are undefined: max_retrys"):
        actor(broker=stub, max_retrys=1)(send_email.fn)


def test_a_function_receives_what_its_annotations_say(stub: StubBroker, worker: dramatiq.Worker) -> None:
    seen: list[Any] = []

    @actor(broker=stub)
    def job(*, tenant_id: TenantId, day: date, after: timedelta = timedelta(0)) -> None:
        seen.append((tenant_id, day, after))

    job.send(tenant_id=42, day=date(2026, 3, 1), after=timedelta(hours=1))
    drain(stub, worker)

    assert seen == [("42", date(2026, 3, 1), timedelta(hours=1))]


def test_a_message_that_an_older_version_sent_fails_for_good() -> None:
    with pytest.raises(InvalidPayload):
        send_email(tenant_id="1", to="nobody", subject="s", body="b")
    with running(), pytest.raises(PermanentFailure, match="send_email: to is 'nobody'"):
        send_email(tenant_id="1", to="nobody", subject="s", body="b")


def test_an_async_function_works_as_a_plain_one(stub: StubBroker) -> None:
    stub.add_middleware(AsyncIO())
    seen: list[str] = []

    @actor(broker=stub)
    async def job(*, tenant_id: TenantId, x: int) -> None:
        seen.append(f"{tenant_id}:{x}")

    with pytest.raises(InvalidPayload):
        job.send(tenant_id=1, x="many")  # type: ignore[arg-type]
    worker = dramatiq.Worker(stub, worker_timeout=50, worker_threads=1)
    worker.start()
    try:
        job.send(tenant_id="acme", x=5)
        drain(stub, worker)
    finally:
        worker.stop()
    assert seen == ["acme:5"]


def test_results_are_stored_where_the_broker_stores_results(stub: StubBroker) -> None:
    backend = StubBackend()
    stub.add_middleware(Results(backend=backend))

    @actor(broker=stub)
    def job(*, tenant_id: TenantId) -> str:
        return f"for {tenant_id}"

    worker = dramatiq.Worker(stub, worker_timeout=50, worker_threads=1)
    worker.start()
    try:
        message = job.send(tenant_id=1)
        assert message.get_result(backend=backend, block=True) == "for 1"
    finally:
        worker.stop()


def test_a_rule_over_several_arguments_holds_in_the_caller(stub: StubBroker) -> None:
    def either(values: Mapping[str, Any]) -> None:
        if "a" not in values and "b" not in values:
            raise ValueError("give a or b")

    @actor(broker=stub, check=either)
    def job(*, tenant_id: TenantId, a: int = 0, b: int = 0) -> None: ...

    job.send(tenant_id=1, b=1)
    with pytest.raises(InvalidPayload, match="job: give a or b"):
        job.send(tenant_id=1)


def test_the_actors_have_names_and_queues_of_their_own() -> None:
    assert isinstance(send_email, Actor)
    assert (send_email.actor_name, send_email.queue_name) == ("jobfleet.send_email", "email")


def test_importing_sets_a_broker_only_where_there_is_none() -> None:
    bare = "import dramatiq.broker, jobfleet.actors as a; print(type(dramatiq.broker.global_broker).__name__)"
    own = (
        "import dramatiq; from dramatiq.brokers.stub import StubBroker; dramatiq.set_broker(StubBroker());"
        "import jobfleet.actors as a; m = a.send_email.send(tenant_id=1, to='a@b.de', subject='s', body='b');"
        "print(type(a.send_email.broker).__name__, m.options, a.send_bulk_emails(1, ['a@b.de', 'b@b.de'],"
        " {'subject': 's', 'body': 'b', 'priority': 3}))"
    )

    def run(code: str) -> str:
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()

    assert run(bare) == "FairBroker"
    assert run(own) == "StubBroker {} {'count': 2}"
