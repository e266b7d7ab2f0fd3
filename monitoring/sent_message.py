"""What the log may show of an encoded Dramatiq message."""

from __future__ import annotations

import json
from typing import Any

from . import storable

#: What stands in the log in place of a value that the actor named in ``redact``.
REDACTED = "[redacted]"


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
        hidden = self._redact(message)
        shown: dict[str, Any] = {key: REDACTED if key in hidden else value for key, value in kwargs.items()}
        if isinstance(args, list) and args:
            # An argument that is itself called "args" keeps its name.
            place = "args" if "args" not in shown else "*args"
            shown[place] = [REDACTED if index in hidden else value for index, value in enumerate(args)]
        clean: dict[str, Any] = storable.json_value(shown)
        return clean

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

    @staticmethod
    def _redact(message: dict[str, Any]) -> frozenset[str | int]:
        options = message.get("options")
        given = options.get("redact") if isinstance(options, dict) else None
        if not isinstance(given, list):
            return frozenset()
        return frozenset(name for name in given if isinstance(name, str | int))
