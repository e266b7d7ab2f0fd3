"""Limits and keys do what ``limits_model`` says, step by random step, on a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from limits_model_machine import LimitedFleet
from lossy_proxy import LossyProxy
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


def assert_ran_twice(proxy: LossyProxy) -> None:
    print(f"scripts seen to run twice: {dict(sorted(proxy.twice.items()))}")
    # What every few examples do; that each script may run twice is shown by test_model_repeats.
    assert {"enqueue_limited", "fetch", "settle"} <= set(proxy.twice)


def test_limits_and_keys_do_what_the_model_does(redis_url: str) -> None:
    done = run_model(LimitedFleet, redis_url, None, examples=25)
    assert all(done[met] for met in ("accepted", "rate", "duplicate", "starts")), done


def test_limits_and_keys_do_what_the_model_does_when_replies_are_lost(redis_url: str, lossy_proxy: LossyProxy) -> None:
    assert run_model(LimitedFleet, redis_url, lossy_proxy, examples=12)["examples"] >= 12
    assert_ran_twice(lossy_proxy)


@pytest.mark.soak
def test_limits_and_keys_do_what_the_model_does_for_long(redis_url: str) -> None:
    assert run_model(LimitedFleet, redis_url, None, examples=400, steps=60)["examples"] >= 400


@pytest.mark.soak
def test_limits_and_keys_do_what_the_model_does_for_long_when_replies_are_lost(
    redis_url: str, lossy_proxy: LossyProxy
) -> None:
    assert run_model(LimitedFleet, redis_url, lossy_proxy, examples=200, steps=60)["examples"] >= 200
    assert_ran_twice(lossy_proxy)
