"""An application's own unit tests: its jobs on Dramatiq's StubBroker, without any server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq import Worker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import GroupCallbacks
from dramatiq.rate_limits.backends import StubBackend as StubLimits
from dramatiq.results import Results
from dramatiq.results.backends import StubBackend

from jobfleet.actors import actor
from jobfleet.broker import current_job
from jobfleet.broker.errors import InvalidPayload, PermanentFailure, Unavailable
from jobfleet.middleware.pipelines import Pipelines
from jobfleet.middleware.retries import Retries
from jobfleet.middleware.tenant_id import TenantId


@pytest.fixture(params=["dramatiq's middleware", "ours in its place"])
def stub(request: pytest.FixtureRequest) -> Iterator[StubBroker]:
    previous = dramatiq.broker.global_broker
    broker = StubBroker()
    if request.param == "ours in its place":
        broker = StubBroker(middleware=[Pipelines(), Retries()])
    broker.add_middleware(Results(backend=StubBackend(), store_results=True))
    broker.add_middleware(GroupCallbacks(StubLimits()))
    dramatiq.set_broker(broker)
    worker = Worker(broker, worker_threads=2, worker_timeout=50)
    worker.start()
    yield broker
    worker.stop()
    broker.close()
    dramatiq.broker.global_broker = previous


def test_jobs_run_with_their_options_checked_and_their_results_stored(stub: StubBroker) -> None:
    seen: list[tuple[Any, ...]] = []

    @actor
    def double(*, tenant_id: TenantId, number: int) -> int:
        seen.append((tenant_id, number, current_job()))
        return number * 2

    message = double.with_options(idempotency_key="order:17", priority=1).send(tenant_id=42, number=4)
    stub.join("default")
    assert message.get_result(block=True, timeout=5_000) == 8
    assert seen == [("42", 4, None)]
    assert message.options == {}, "options that this broker does not know are not sent"
    with pytest.raises(InvalidPayload) as caught:
        double.send(tenant_id=42, number="four")  # type: ignore[arg-type]
    assert caught.value.field == "number"
    double.with_options(delay=20).send(tenant_id=42, number=5)
    stub.join("default")
    assert [row[1] for row in seen] == [4, 5]


def test_what_goes_wrong_is_raised_by_join(stub: StubBroker) -> None:
    runs: list[type[Exception]] = []

    @actor(max_retries=1, min_backoff=10, max_backoff=10)
    def fails(*, tenant_id: TenantId, permanent: bool) -> None:
        error = PermanentFailure if permanent else Unavailable
        runs.append(error)
        raise error("no")

    fails.send(tenant_id=1, permanent=False)
    with pytest.raises(Unavailable):
        stub.join("default")
    assert runs == [Unavailable, Unavailable]
    stub.flush_all()
    fails.send(tenant_id=1, permanent=True)
    with pytest.raises(PermanentFailure):
        stub.join("default")


def test_groups_complete_and_plain_actors_stand_beside_ours(stub: StubBroker) -> None:
    told: list[object] = []

    @actor
    def member(*, tenant_id: TenantId, number: int) -> int:
        return number

    @dramatiq.actor
    def plain(word: str) -> None:
        told.append(word)

    members = dramatiq.group(member.message(tenant_id=1, number=number) for number in range(3))
    members.add_completion_callback(plain.message("done"))
    members.run()
    assert sorted(members.get_results(block=True, timeout=5_000)) == [0, 1, 2]
    stub.join("default")
    assert told == ["done"]


@pytest.mark.parametrize("stub", ["ours in its place"], indirect=True)
def test_results_are_piped_by_name_where_our_pipelines_are(stub: StubBroker) -> None:
    seen: list[int] = []

    @actor
    def double(*, tenant_id: TenantId, number: int) -> int:
        return number * 2

    @actor
    def keep(*, tenant_id: TenantId, doubled: int) -> None:
        seen.append(doubled)

    stage: Any = keep.message_with_options(kwargs={"tenant_id": 1}, pipe_as="doubled")
    (double.message(tenant_id=1, number=4) | stage).run()
    stub.join("default")
    assert seen == [8]
