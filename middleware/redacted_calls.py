"""Dramatiq's line about each call of an actor, without the values that must not be seen."""

from __future__ import annotations

import logging

from ..broker.lease import current_lease
from ..broker.redaction import hidden_arguments, shown_arguments


class RedactedCalls(logging.Filter):
    """A filter for the logger of one actor; at DEBUG (``dramatiq -v``) Dramatiq writes what each call received.

    Parameters:
      hidden: names and places of the arguments that the actor redacts; a message may name more.
    """

    def __init__(self, hidden: frozenset[str | int]) -> None:
        super().__init__()
        self._hidden = hidden

    def filter(self, record: logging.LogRecord) -> bool:
        """Hide the values, where a line is made of a call's arguments; known by their shape, as texts change."""
        match record.args:
            case (tuple() as args, dict() as kwargs):
                lease = current_lease()
                told = hidden_arguments(lease.options) if lease is not None else frozenset()
                listed, named = shown_arguments(args, kwargs, self._hidden | told)
                record.args = (tuple(listed), named)
        return True
