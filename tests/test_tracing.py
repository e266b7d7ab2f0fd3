"""Trace context from sender to job, and to whatever that job sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq.middleware import GroupCallbacks
from dramatiq.rate_limits.backends import StubBackend
from processes import bare_environment, run_command
from wait import eventually, present
from worker_threads import StartWorker

from jobfleet.actors import actor, make_broker
from jobfleet.actors.fan_out import fan_out
from jobfleet.broker import FairBroker
from jobfleet.broker.current_trace import current_trace
from jobfleet.broker.settings import settings
from jobfleet.middleware.tenant_id import TenantId

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def broker(redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FairBroker]:
    """The fleet's own broker, in place of the bare one of other tests."""
    monkeypatch.setenv("JOBFLEET_NAMESPACE", namespace)
    broker = make_broker(redis_url)
    broker.add_middleware(GroupCallbacks(StubBackend()))
    yield broker
    broker.close()


class Traces:
    """Which trace each run saw."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def note(self, name: str) -> None:
        """Note the trace of the run that calls this."""
        trace = current_trace()
        self.seen.append((name, trace.trace_id if trace else ""))

    def saw(self, *names: str) -> list[str]:
        """Wait until the runs are noted; returns their traces, one of each."""
        eventually(lambda: sorted(name for name, _ in self.seen) == sorted(names))
        return sorted({trace for _, trace in self.seen})


def test_everything_that_a_job_sends_is_in_its_trace(broker: FairBroker, start_worker: StartWorker) -> None:
    traces = Traces()

    # Given a job that fails once, then fans out, and whose result goes on through a pipeline
    @actor(broker=broker, min_backoff=1, max_backoff=1)
    def first(*, tenant_id: TenantId) -> int:
        traces.note("first")
        if len(traces.seen) == 1:
            raise ValueError("not yet")
        late = [child.message(tenant_id=tenant_id) for _ in range(2)]
        fan_out(broker, late, [0, 1], "sent")
        grandchild.with_options(delay=1).send(tenant_id=tenant_id)
        return 1

    @actor(broker=broker)
    def child(*, tenant_id: TenantId) -> None:
        traces.note("child")

    @actor(broker=broker)
    def grandchild(*, tenant_id: TenantId) -> None:
        traces.note("grandchild")

    @actor(broker=broker)
    def last(*, tenant_id: TenantId, count: int = 0) -> None:
        traces.note("last")

    # When it is sent with the context of a request
    head = first.with_options(traceparent=PARENT, tracestate="rojo=1").message(tenant_id=42)
    dramatiq.pipeline([head, last.with_options(pipe_as="count").message(tenant_id=42)], broker=broker).run()
    start_worker()

    # Then all of it is in the trace of that
    assert traces.saw("first", "first", "child", "child", "grandchild", "last") == [TRACE]


def test_a_groups_callback_is_in_the_trace_of_its_members(broker: FairBroker, start_worker: StartWorker) -> None:
    traces = Traces()

    @actor(broker=broker)
    def member(*, tenant_id: TenantId) -> None:
        traces.note("member")

    @actor(broker=broker)
    def callback(*, tenant_id: TenantId) -> None:
        traces.note("callback")

    sender = member.with_options(traceparent=PARENT)
    group = dramatiq.group([sender.message(tenant_id=42) for _ in range(2)], broker=broker)
    group.add_completion_callback(callback.message(tenant_id=42))
    group.run()
    start_worker()

    assert traces.saw("member", "member", "callback") == [TRACE]


def test_a_replayed_job_is_in_its_old_trace(broker: FairBroker, start_worker: StartWorker) -> None:
    traces = Traces()

    @actor(broker=broker, max_retries=0)
    def broken(*, tenant_id: TenantId) -> None:
        traces.note("broken")
        if len(traces.seen) == 1:
            raise ValueError("not yet")

    job_id = broken.with_options(traceparent=PARENT).send(tenant_id=42).message_id
    assert present(broker.get(job_id)).trace_id == TRACE
    start_worker()
    eventually(lambda: broker.dead_letters.replay([job_id]))

    assert traces.saw("broken", "broken") == [TRACE]


def test_without_opentelemetry_nothing_of_it_is_loaded_or_in_the_way(redis_url: str, namespace: str) -> None:
    # Given a process in which the package cannot be found
    code = """
import sys
sys.modules["opentelemetry"] = None
from jobfleet.actors import send_email
sent = send_email.send(tenant_id=42, to="ada@example.com", subject="x", body="x")
print([type(middleware).__name__ for middleware in send_email.broker.middleware][0], sorted(sent.options))
print([name for name in sys.modules if name.startswith("opentelemetry.")])
"""
    environment = bare_environment() | {"REDIS_URL": redis_url, "JOBFLEET_NAMESPACE": namespace}

    outcome = run_command(["python", "-c", code], environment)

    assert outcome.status == 0, outcome
    first, loaded = outcome.output.splitlines()
    assert first.startswith("Tracing ")
    assert "traceparent" not in first
    assert loaded == "[]"


def test_without_any_context_nothing_is_carried(broker: FairBroker) -> None:
    @actor(broker=broker)
    def plain(*, tenant_id: TenantId) -> None: ...

    assert {"traceparent", "tracestate"}.isdisjoint(plain.send(tenant_id=42).options)


@pytest.mark.parametrize("wrong", ["", "nonsense", PARENT.upper(), PARENT[:-3], 17, "\udcff", "00-" + "0" * 52])
def test_a_wrong_context_is_dropped_and_the_job_sent(broker: FairBroker, wrong: Any) -> None:
    @actor(broker=broker)
    def plain(*, tenant_id: TenantId) -> None: ...

    sent = plain.with_options(traceparent=wrong, tracestate="a=1").send(tenant_id=42)

    assert {"traceparent", "tracestate"}.isdisjoint(sent.options)
    assert present(broker.get(sent.message_id)).trace_id == ""


def test_on_demand_each_first_job_begins_a_trace(
    broker: FairBroker, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given the setting that asks for it
    monkeypatch.setenv("JOBFLEET_START_TRACES", "true")
    settings.cache_clear()
    traces = Traces()

    @actor(broker=broker)
    def parent(*, tenant_id: TenantId) -> None:
        traces.note("parent")
        child.send(tenant_id=tenant_id)

    @actor(broker=broker)
    def child(*, tenant_id: TenantId) -> None:
        traces.note("child")

    # When two jobs are sent, and each sends one more
    for _ in range(2):
        parent.send(tenant_id=42)
    start_worker()

    # Then there are two traces, each with both
    assert len(traces.saw("parent", "parent", "child", "child")) == 2
    assert all(traces.seen.count(("child", trace)) == 1 for name, trace in traces.seen if name == "parent")
