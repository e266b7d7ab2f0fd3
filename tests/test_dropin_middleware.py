"""Dramatiq's own middleware works on our broker as it does on Dramatiq's, in any order."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dramatiq
import pytest
from dramatiq.middleware import (
    AgeLimit,
    AsyncIO,
    Callbacks,
    CurrentMessage,
    GroupCallbacks,
    Middleware,
    Pipelines,
    Retries,
    ShutdownNotifications,
    TimeLimit,
)
from dramatiq.rate_limits.backends import StubBackend as StubLimits
from dramatiq.results import Results
from dramatiq.results.backends import StubBackend
from dropin_brokers import BROKERS, StartWorker, application, died, drained
from wait import eventually


@pytest.fixture(params=BROKERS)
def app(request: pytest.FixtureRequest, redis_url: str, namespace: str) -> Iterator[tuple[Any, StartWorker]]:
    with application(request.param, redis_url, namespace) as running:
        yield running


@pytest.fixture
def prometheus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Middleware:
    """Dramatiq's own counters; they make a folder when they are imported, and set the environment at the boot."""
    import prometheus_client  # noqa: F401 (with that environment set, it would count in files from then on)

    for name in ("dramatiq_prom_db", "PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"):
        monkeypatch.setenv(name, str(tmp_path))
    from dramatiq.middleware.prometheus import Prometheus

    return Prometheus()


def counted(prometheus: Any) -> dict[str, float]:
    """What was counted of runs and of failures, by actor."""
    counters = {"runs": prometheus.total_messages, "failures": prometheus.total_errored_messages}
    samples = [(name, sample) for name, counter in counters.items() for sample in counter.collect()[0].samples]
    return {f"{s.labels['actor_name']} {name}": s.value for name, s in samples if s.name.endswith("_total")}


@pytest.mark.parametrize("kind", BROKERS)
@pytest.mark.parametrize("seed", range(4))
def test_stock_middleware_works_in_any_order(
    redis_url: str, namespace: str, kind: str, seed: int, prometheus: Middleware
) -> None:
    limits = TimeLimit(time_limit=30_000)
    stock = [AgeLimit(), limits, ShutdownNotifications(), Callbacks(), Pipelines(), Retries(), CurrentMessage()]
    stock += [AsyncIO(), GroupCallbacks(StubLimits()), Results(backend=StubBackend(), store_results=True), prometheus]
    random.Random(seed).shuffle(stock)
    with application(kind, redis_url, namespace, stock) as (broker, start):
        told: list[str] = []
        numbers = itertools.count(1)

        @dramatiq.actor(max_retries=2, min_backoff=10, max_backoff=10, on_success="tell")
        async def work(*args: int) -> int:
            await asyncio.sleep(0)
            if next(numbers) == 1:
                raise RuntimeError("the first run fails")
            message = CurrentMessage.get_current_message()
            return len(args) + (message is not None)

        @dramatiq.actor
        def tell(*args: object) -> None:
            told.append("told")

        broker.emit_after("process_boot")
        start()
        members = dramatiq.group([work.message() | work.message(), work.message()])
        members.add_completion_callback(tell.message())
        members.run()
        results = list(members.get_results(block=True, timeout=15_000))
        eventually(lambda: len(told) == 4 and drained(broker))
        assert results[0] - results[1] == 1, "the second stage got the first one's result"
        assert not died(broker)
        eventually(lambda: counted(prometheus) == {"work runs": 4, "work failures": 1, "tell runs": 4})


def test_async_actors_share_one_loop_and_know_their_message(app: tuple[Any, StartWorker]) -> None:
    broker, start = app
    broker.add_middleware(AsyncIO())
    arrived: list[str] = []
    loops: set[int] = set()
    all_in = asyncio.Event()

    @dramatiq.actor(max_retries=0)
    async def act(number: int) -> None:
        loops.add(id(asyncio.get_running_loop()))
        arrived.append(f"in {number}")
        if len(arrived) == 3:
            all_in.set()
        await all_in.wait()
        arrived.append(f"out {number}")

    start()
    for number in range(3):
        act.send(number)
    eventually(lambda: len(arrived) == 6)
    assert len(loops) == 1
    assert {line.split()[0] for line in arrived[:3]} == {"in"}, "all three ran at once"
    eventually(lambda: drained(broker))
