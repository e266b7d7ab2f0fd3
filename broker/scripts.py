"""Loads the ``.lua`` files and runs them.

A script names the pieces it is built from in a line ``-- include: keys clock ...``; they are put
before it in that order. A server that has forgotten a script (restart, failover, SCRIPT FLUSH) is
sent it again.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Any

import msgpack
import redis

from .commands import Commands

_INCLUDE = re.compile(r"^-- include: (.+)$", re.MULTILINE)


@cache
def source(name: str) -> str:
    """The whole text of a script, its pieces included."""
    text = _read(name)
    found = _INCLUDE.search(text)
    pieces = [_read(piece) for piece in found.group(1).split()] if found else []
    ordered = _clock_before_use(pieces, text)
    return "\n".join(ordered)


def _read(name: str) -> str:
    return (files(__package__) / "lua" / f"{name}.lua").read_text()


def _clock_before_use(pieces: list[str], text: str) -> list[str]:
    """Pieces close over ``now``; it is declared before them and set by the script's first lines."""
    return ["local now", *pieces, re.sub(r"^local now = ", "now = ", text, flags=re.MULTILINE)]


def pack(value: Any) -> bytes:
    """Encode for Lua's cmsgpack, which knows the old string type only."""
    packed: bytes = msgpack.packb(value, use_bin_type=False, unicode_errors="surrogateescape")
    return packed


def unpack(data: bytes) -> Any:
    """Decode what Lua's cmsgpack packed; bytes that are not UTF-8 survive as surrogate escapes."""
    return msgpack.unpackb(data, raw=False, unicode_errors="surrogateescape", strict_map_key=False)


class Scripts:
    """The scripts of one client, each called by name with the namespace as its only key."""

    def __init__(self, client: Commands, prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        self._digests: dict[str, str] = {}

    def call(self, name: str, *args: bytes | str | int) -> Any:
        """Run a script.

        Raises:
          redis.RedisError: the server is away or refused.
        """
        digest = self._digests.get(name)
        if digest is None:
            digest = self._digests[name] = hashlib.sha1(source(name).encode(), usedforsecurity=False).hexdigest()
        try:
            return self._client.execute_command("EVALSHA", digest, 1, self._prefix, *args)
        except redis.exceptions.NoScriptError:
            return self._client.execute_command("EVAL", source(name), 1, self._prefix, *args)
