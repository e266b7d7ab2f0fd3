"""What the log may show of an encoded Dramatiq message."""

from __future__ import annotations

import json
from typing import Any

from ..broker.redaction import hidden_arguments, shown_arguments
from ..broker.trace_context import TraceContext
from . import storable


class SentMessage:
    """An encoded message, read for the log. One that cannot be read has no payload.

    Parameters:
      encoded: the message as it was sent, JSON text.
    """

    def __init__(self, encoded: str) -> None:
        self.encoded = encoded if isinstance(encoded, str) else str(encoded)

    def payload(self) -> dict[str, Any] | None:
        """The keyword arguments, and under ``args`` the positional ones if there are any, redacted and storable."""
        message = self._read()
        args, kwargs = message.get("args"), message.get("kwargs")
        if not isinstance(kwargs, dict):
            return None
        hidden = hidden_arguments(_options(message))
        listed, shown = shown_arguments(args if isinstance(args, list) else [], kwargs, hidden)
        if listed:
            # An argument that is itself called "args" keeps its name.
            shown["args" if "args" not in shown else "*args"] = listed
        clean: dict[str, Any] = storable.json_value(shown)
        return clean

    def trace(self) -> TraceContext | None:
        """The trace to which the job belongs, if it belongs to one."""
        return TraceContext.read(_options(self._read()))

    def stored(self) -> bytes:
        """The message byte for byte, for a replay."""
        try:
            return self.encoded.encode("utf-8", "surrogateescape") or b"{}"
        except UnicodeEncodeError:
            return self.encoded.encode("utf-8", "surrogatepass")

    def _read(self) -> dict[str, Any]:
        try:
            message = json.loads(self.encoded)
        except (ValueError, RecursionError):
            return {}
        return message if isinstance(message, dict) else {}


def _options(message: dict[str, Any]) -> dict[str, Any]:
    options = message.get("options")
    return options if isinstance(options, dict) else {}
