"""W3C trace context as messages carry it: what the specification allows passes, everything else is dropped."""

from __future__ import annotations

from typing import Any

import pytest

from jobfleet.broker.trace_context import TraceContext

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("parent", "travels_as"),
    [
        (GOOD, GOOD),
        (f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-00"),
        (f"00-{TRACE}-{SPAN}-03", GOOD),
        (f"cc-{TRACE}-{SPAN}-01", GOOD),
        (f"01-{TRACE}-{SPAN}-01-of-a-later-version", GOOD),
    ],
)
def test_a_valid_traceparent_travels_as_version_00(parent: str, travels_as: str) -> None:
    context = TraceContext.read({"traceparent": parent})

    assert context is not None
    assert (context.trace_id, context.span_id, context.traceparent) == (TRACE, SPAN, travels_as)


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "nonsense",
        GOOD.upper(),
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"{GOOD}-more",
        f"{GOOD}\n",
        f" {GOOD}",
        f"01-{TRACE}-{SPAN}-01.more",
        GOOD.replace("4bf9", "4bf\u0669"),
        GOOD.encode(),
        17,
        None,
        [GOOD],
    ],
)
def test_any_other_is_none(parent: Any) -> None:
    assert TraceContext.read({"traceparent": parent, "tracestate": "a=1"}) is None


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        ("a=1, b=2 ,\t,c=3", "a=1,b=2,c=3"),
        ("fw529a3039@dt=FfAxxx", "fw529a3039@dt=FfAxxx"),
        ("a=1=2", ""),
        ("a=1,a=2", ""),
        ("A=1", ""),
        ("a", ""),
        ("a=", ""),
        ("a=\u00e9", ""),
        ("a=1\nb=2", ""),
        (",".join(f"k{number}=1" for number in range(33)), ""),
        ("a=" + "x" * 600, ""),
        (17, ""),
        (None, ""),
    ],
)
def test_a_tracestate_passes_whole_or_not_at_all(state: Any, kept: str) -> None:
    context = TraceContext.read({"traceparent": GOOD, "tracestate": state})

    assert context is not None
    assert context.state == kept


def test_a_new_trace_is_one_of_its_own_and_is_read_again() -> None:
    first, second = TraceContext.new(), TraceContext.new()
    options: dict[str, Any] = {"tracestate": "a=1"}

    first.write(options)

    assert first.trace_id != second.trace_id
    assert TraceContext.read(options) == first
    assert "tracestate" not in options, "another trace's state is none of its business"
