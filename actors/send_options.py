"""The options of one send, checked in the caller."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from dramatiq import Broker

from ..broker import FairBroker
from ..broker.errors import InvalidPayload
from ..broker.names import check_name
from ..broker.result_ttl import is_result_ttl
from ..broker.shown import shown
from ..broker.trace_context import TRACEPARENT, TRACESTATE

#: Options that FairBroker and its middleware understand; another broker gets those of them that it names itself.
OURS = frozenset(
    {
        *("idempotency_key", "idempotency_ttl", "on_limit", "pipe_as", "priority", "result_ttl", "store_results"),
        *(TRACEPARENT, TRACESTATE),
    }
)
#: Options with which Dramatiq's compositions and retries mark a message of their own accord.
DRAMATIQS = frozenset({"delay", "pipe_target", "pipe_ignore"})


def delay_ms(delay: int | timedelta | None) -> int | None:
    """A delay in milliseconds.

    Raises:
      InvalidPayload: it is negative or no duration.
    """
    if delay is None:
        return None
    if isinstance(delay, timedelta):
        delay = delay // timedelta(milliseconds=1)
    if not isinstance(delay, int) or isinstance(delay, bool) or delay < 0:
        raise InvalidPayload(
            f"delay is {shown(delay)}; allowed is a whole number of milliseconds from 0, or a timedelta", field="delay"
        )
    return delay


def message_options(broker: Broker, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a message for a broker: checked, and without those of ours that another broker does not know.

    Raises:
      InvalidPayload: the priority, the idempotency key or the time for which a result is kept is wrong.
    """
    _check_values(options)
    return dict(options) if isinstance(broker, FairBroker) else named_options(broker, options)


def named_options(broker: Broker, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options without those of ours that no middleware of the broker names."""
    named: Set[str] = broker.actor_options
    return {name: value for name, value in options.items() if name in named or name not in OURS}


def check_names(broker: Broker, options: Mapping[str, Any]) -> None:
    """Refuse an option that nothing would ever read.

    Raises:
      InvalidPayload: names the option, and the one that was probably meant.
    """
    known = sorted(OURS | DRAMATIQS | broker.actor_options)
    for name in options:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            advice = f"did you mean {close[0]}?" if close else f"allowed are {', '.join(known)}"
            raise InvalidPayload(f"there is no option {name}; {advice}", field=name)


def _check_values(options: Mapping[str, Any]) -> None:
    priority = options.get("priority")
    if priority is not None and (type(priority) is not int or not 1 <= priority <= 9):
        raise InvalidPayload(
            f"priority is {shown(priority)}; allowed is a whole number from 1 (first) to 9 (last)", field="priority"
        )
    key = options.get("idempotency_key")
    if key is not None:
        check_name("idempotency_key", key)
    if "result_ttl" in options and not is_result_ttl(options["result_ttl"]):
        raise InvalidPayload(
            f"result_ttl is {shown(options['result_ttl'])}; allowed is a whole number of milliseconds from 1 to a year",
            field="result_ttl",
        )
