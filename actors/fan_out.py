"""Sends many jobs at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dramatiq import Broker, Message

from ..broker import FairBroker


def fan_out(broker: Broker, messages: Sequence[Message[Any]], delays: list[int], counted: str) -> dict[str, int]:
    """Enqueue messages, in few round trips where the broker can.

    They are work already promised: where the tenant's rate is used up they are held, not refused, and no
    backlog refuses them, so that never half of them is dropped.

    Parameters:
      delays: milliseconds for each message.
      counted: the name under which the number of accepted jobs is returned.

    Returns:
      that number; and ``refused``, the number of the others, when there are any.

    Raises:
      AdmissionError: every one was refused; this is why the first was.
    """
    if not isinstance(broker, FairBroker):
        for message, delay in zip(messages, delays, strict=True):
            broker.enqueue(message, delay=delay or None)
        return {counted: len(messages)}
    outcomes = broker.enqueue_many(messages, delay=delays, promised=True)
    refusals = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    if refusals and len(refusals) == len(messages):
        raise refusals[0]
    counts = {counted: len(messages) - len(refusals)}
    return {**counts, "refused": len(refusals)} if refusals else counts
