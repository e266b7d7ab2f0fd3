"""What may stand around a send."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

from dramatiq.message import Message


@runtime_checkable
class AroundSends(Protocol):
    """A middleware that is told of a send before it and after it, whether it succeeds or not.

    Dramatiq's hooks cannot: none is called when a send is refused, and a bulk send looks to them like many.
    """

    def sending(self, messages: Sequence[Message[Any]]) -> AbstractContextManager[object]:
        """The block in which messages are sent, one or many in bulk; hooks run inside of it."""
