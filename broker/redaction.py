"""What a log may show of a message's arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: What stands in a log in place of a value that the actor named in its option ``redact``.
REDACTED = "[redacted]"


def hidden_arguments(options: Mapping[str, Any]) -> frozenset[str | int]:
    """Names and places of the arguments that a message's option ``redact`` hides."""
    given = options.get("redact")
    if not isinstance(given, list | tuple):
        return frozenset()
    return frozenset(name for name in given if isinstance(name, str | int))


def shown_arguments(
    args: Sequence[Any], kwargs: Mapping[str, Any], hidden: frozenset[str | int]
) -> tuple[list[Any], dict[str, Any]]:
    """Arguments with REDACTED in place of those that are hidden."""
    return (
        [REDACTED if place in hidden else value for place, value in enumerate(args)],
        {name: REDACTED if name in hidden else value for name, value in kwargs.items()},
    )
