"""What runs hand over, as ``lua/settle.lua`` takes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .lease import Admitted, Lease
from .outcome import describe

#: Kinds that do not end a run.
STILL_RUNNING = ("started", "progress", "effect")

#: The run, the kind, ms since the run began, what the kind asks for, and the message of the next run or dead letter.
Item = tuple[Lease, str, int, list[Any], bytes | None]


def encode(batch: Iterable[Item]) -> tuple[list[list[Any]], list[bytes]]:
    """The items of a batch as the script takes them, and the messages that they refer to by index."""
    items: list[list[Any]] = []
    messages: list[bytes] = []
    for lease, kind, ran_ms, detail, message in batch:
        told = detail
        if message is not None:
            messages.append(message)
            told = [len(messages), *detail[1:]]
        item = [lease.worker, lease.job.job_id, lease.number, kind, ran_ms, told]
        if kind not in STILL_RUNNING:
            item += [[_row(send, error, messages) for send, error in lease.sends], _group(lease, messages)]
        items.append(item)
    return items, messages


def dead_instead(item: Item, error: Exception) -> Item:
    """The dead letter that a job becomes whose outcome cannot be packed; what its hooks sent may be the reason."""
    lease, kind, ran_ms, *_ = item
    lease.sends, lease.group = [], None
    text = f"its outcome ({kind}) cannot travel: {describe(error)}"
    detail = [0, text, type(error).__name__, "", "bad_result", "", "", 0]
    return lease, "failed", ran_ms, detail, lease.message


def _row(send: Admitted, error: str, messages: list[bytes]) -> list[Any]:
    *row, encoded = send
    messages.append(encoded)
    return [len(messages), *row, error]


def _group(lease: Lease, messages: list[bytes]) -> list[Any]:
    if lease.group is None:
        return []
    name, ttl, callbacks = lease.group
    return [name, ttl, [_row(send, error, messages) for send, error in callbacks]]
