"""The broker against a model of it, under random operations: straight, and where replies are lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from lossy_proxy import LossyProxy, script_names
from model_machine import Fleet

from jobfleet.broker import scripts


@pytest.fixture(autouse=True)
def quick_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients' own repeats, without their pauses."""
    monkeypatch.setattr(scripts, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def lossy_proxy(redis_url: str) -> Iterator[LossyProxy]:
    with LossyProxy(redis_url) as proxy:
        yield proxy


def run(redis_url: str, proxy: LossyProxy | None, *, examples: int, steps: int = 40) -> Counter[str]:
    """Run the state machine; a failure prints its steps, and a blob that plays them again."""

    class ThisFleet(Fleet):
        done: ClassVar[Counter[str]] = Counter()

    ThisFleet.redis_url, ThisFleet.proxy = redis_url, proxy
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=False,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(ThisFleet, settings=chosen)
    print(f"{ThisFleet.done['examples']} examples, {ThisFleet.done['steps']} steps")
    return ThisFleet.done


#: What every few examples do; a rarer one of the scripts is surely seen to run twice in test_model_repeats.
OFTEN = {"enqueue", "enqueue_limited", "fetch", "settle", "heartbeat", "leave", "register", "upkeep", "cancel"}


def assert_ran_twice(proxy: LossyProxy, names: set[str]) -> None:
    print(f"scripts seen to run twice: {dict(sorted(proxy.twice.items()))}")
    assert names <= set(proxy.twice), names - set(proxy.twice)


def test_the_broker_does_what_the_model_does(redis_url: str) -> None:
    assert run(redis_url, None, examples=50)["examples"] >= 50


def test_the_broker_does_what_the_model_does_when_replies_are_lost(redis_url: str, lossy_proxy: LossyProxy) -> None:
    assert run(redis_url, lossy_proxy, examples=30)["examples"] >= 30
    assert_ran_twice(lossy_proxy, OFTEN)


@pytest.mark.soak
def test_the_broker_does_what_the_model_does_for_long(redis_url: str) -> None:
    assert run(redis_url, None, examples=2_000, steps=60)["examples"] >= 2_000


@pytest.mark.soak
def test_the_broker_does_what_the_model_does_for_long_when_replies_are_lost(
    redis_url: str, lossy_proxy: LossyProxy
) -> None:
    assert run(redis_url, lossy_proxy, examples=1_500, steps=60)["examples"] >= 1_500
    assert_ran_twice(lossy_proxy, set(script_names()))
