"""What the fleet's policies ask of one send, packed as ``lua/enqueue_limited.lua`` reads it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from dramatiq.message import Message, get_encoder

from .job import SYSTEM
from .scripts import pack

#: Options that middleware stamps: how a limited job is met, that no backlog refuses it, and for how many
#: ms its key is remembered after it completed.
LIMITED, PROMISED, KEY_TTL = "limited", "promised", "key_ttl"

#: What ``options["limited"]`` may be.
ON_LIMIT: Mapping[str, int] = {"reject": 1, "delay": 2}


def promise(message: Message[Any]) -> None:
    """Let no limit of its tenant refuse a message: beyond the rate it is held, whatever its actor says of that."""
    message.options.update({"on_limit": "delay", PROMISED: True})


def policy_of(message: Message[Any], tenant: str, key: str) -> bytes:
    """The policy of a message, empty when nothing limits or protects it: then the script does no work for it.

    Parameters:
      message: with the options that ``TenantLimits`` and ``Idempotency`` have stamped.
      tenant: whose it is.
      key: its idempotency key or ''.
    """
    options = message.options
    limited = ON_LIMIT.get(options.get(LIMITED, ""), 0) if tenant != SYSTEM else 0
    if not (limited or key):
        return b""
    ttl = int(options.get(KEY_TTL, 0)) if key else 0
    return pack([limited, int(bool(options.get(PROMISED))), key, digest(message) if ttl else "", ttl])


def digest(message: Message[Any]) -> str:
    """What tells one payload from another: the arguments, whatever the order of their names."""
    try:
        text = json.dumps([message.args, message.kwargs], sort_keys=True, separators=(",", ":")).encode()
    except (TypeError, ValueError):
        # An application's own encoder takes more than JSON does.
        text = get_encoder().encode({"args": message.args, "kwargs": dict(sorted(message.kwargs.items()))})
    return hashlib.sha256(text).hexdigest()[:32]
