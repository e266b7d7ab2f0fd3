"""Waiting for something to become true, with a deadline instead of a guess."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Seconds between two looks; long enough to leave the two cores to what is being waited for.
INTERVAL_SECONDS = 0.02


def eventually(condition: Callable[[], T | None], timeout: float = 15.0) -> T:
    """Look until the condition holds; returns what it returned then.

    A false value or a failed assertion means "not yet"; any other error is the test's.

    Parameters:
      condition: a question without arguments, such as ``lambda: broker.get(job_id).state == "completed"``.
      timeout: seconds after which the test fails; generous, since a good run never waits for it.
    """
    deadline = time.monotonic() + timeout
    while True:
        seen, failure = _look(condition)
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s; last seen: {failure or repr(seen)}") from failure
        time.sleep(INTERVAL_SECONDS)


def present(value: T | None) -> T:
    """The value, which must be there."""
    assert value is not None
    return value


def _look(condition: Callable[[], T | None]) -> tuple[T | None, AssertionError | None]:
    try:
        return condition(), None
    except AssertionError as failure:
        return None, failure
