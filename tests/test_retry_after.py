"""When an endpoint says when to come back."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobfleet.actors.retry_after import retry_after_ms


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("1", 1_000),
        (" 120 ", 120_000),
        ("3600", 3_600_000),
        ("3601", 3_600_000),
        ("9" * 5000, 3_600_000),
        ("0", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("²", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_seconds(value: str | None, wait: int | None) -> None:
    assert retry_after_ms(value) == wait


def test_a_date() -> None:
    soon = retry_after_ms(formatdate(time.time() + 600, usegmt=True))

    assert soon is not None
    assert 590_000 < soon <= 600_000
    assert retry_after_ms(formatdate(time.time() + 86_400, usegmt=True)) == 3_600_000


@settings(deadline=None)
@given(st.text())
def test_no_header_breaks_it(value: str) -> None:
    wait = retry_after_ms(value)

    assert wait is None or 0 < wait <= 3_600_000
