"""The broker against a model of it, under random operations: straight, and where replies are lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lossy_proxy import LossyProxy, script_names
from model_machine import Fleet
from model_run import run_model

from jobfleet.broker import scripts


@pytest.fixture(autouse=True)
def quick_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients' own repeats, without their pauses."""
    monkeypatch.setattr(scripts, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def lossy_proxy(redis_url: str) -> Iterator[LossyProxy]:
    with LossyProxy(redis_url) as proxy:
        yield proxy


#: What every few examples do; a rarer one of the scripts is surely seen to run twice in test_model_repeats.
OFTEN = {"enqueue", "enqueue_limited", "fetch", "settle", "heartbeat", "leave", "register", "upkeep", "cancel"}


#: What no step of the model needs: the fleet's own state is lost in test_model_repeats only.
ELSEWHERE = {"repair_fleet"}


def assert_ran_twice(proxy: LossyProxy, names: set[str]) -> None:
    print(f"scripts seen to run twice: {dict(sorted(proxy.twice.items()))}")
    assert names <= set(proxy.twice), names - set(proxy.twice)


def test_the_broker_does_what_the_model_does(redis_url: str) -> None:
    assert run_model(Fleet, redis_url, None, examples=50)["examples"] >= 50


def test_the_broker_does_what_the_model_does_when_replies_are_lost(redis_url: str, lossy_proxy: LossyProxy) -> None:
    assert run_model(Fleet, redis_url, lossy_proxy, examples=30)["examples"] >= 30
    assert_ran_twice(lossy_proxy, OFTEN)


@pytest.mark.soak
def test_the_broker_does_what_the_model_does_for_long(redis_url: str) -> None:
    assert run_model(Fleet, redis_url, None, examples=500, steps=60)["examples"] >= 500


@pytest.mark.soak
def test_the_broker_does_what_the_model_does_for_long_when_replies_are_lost(
    redis_url: str, lossy_proxy: LossyProxy
) -> None:
    assert run_model(Fleet, redis_url, lossy_proxy, examples=300, steps=60)["examples"] >= 300
    assert_ran_twice(lossy_proxy, set(script_names()) - ELSEWHERE)
