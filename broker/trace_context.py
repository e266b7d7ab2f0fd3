"""W3C trace context, level 2: what joins the log lines and spans of a sender, its jobs and the jobs that they send."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

#: The options of a message that carry it, named as the HTTP headers are.
TRACEPARENT, TRACESTATE = "traceparent", "tracestate"

#: Longest tracestate that travels, in characters: what the specification asks everybody to pass on.
STATE_MAX = 512
#: Most members of a tracestate.
STATE_MEMBERS = 32

#: Version, trace id, span id, flags; a later version may have more behind them.
_PARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_MEMBER = re.compile(r"[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Where in which trace something happens."""

    #: 32 hexadecimal digits, the same from the first sender to the last job.
    trace_id: str
    #: 16 hexadecimal digits: the span whose child the next one is.
    span_id: str
    #: Whether whoever began the trace records it.
    sampled: bool
    #: What tracing systems have noted for themselves.
    state: str = ""

    @classmethod
    def new(cls) -> TraceContext:
        """The beginning of a trace. It counts as sampled, or else workers that trace would leave it out."""
        random = os.urandom(24).hex()
        return cls(random[:32], random[32:], sampled=True)

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> TraceContext | None:
        """What a message carries; None where that is nothing, or not what the specification allows."""
        parent = options.get(TRACEPARENT)
        found = _PARENT.fullmatch(parent) if isinstance(parent, str) else None
        # Version 00 ends with the flags.
        if found is None or (found[1] == "00" and found[5]):
            return None
        sampled = int(found[4], 16) & 1 == 1
        return cls(found[2], found[3], sampled, _clean_state(options.get(TRACESTATE)))

    @property
    def traceparent(self) -> str:
        """As it travels: 55 characters."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def write(self, options: MutableMapping[str, Any]) -> None:
        """Put it into a message's options, in place of what was there."""
        options[TRACEPARENT] = self.traceparent
        if self.state:
            options[TRACESTATE] = self.state
        else:
            options.pop(TRACESTATE, None)


def forget_trace(options: MutableMapping[str, Any]) -> None:
    """Take any trace context out of a message's options."""
    options.pop(TRACEPARENT, None)
    options.pop(TRACESTATE, None)


def _clean_state(state: object) -> str:
    """The members of a tracestate; empty when one of them is wrong, for then none can be trusted."""
    if not isinstance(state, str) or not state or len(state) > STATE_MAX:
        return ""
    members = [member for part in state.split(",") if (member := part.strip(" \t"))]
    keys = {member.partition("=")[0] for member in members}
    if len(members) > STATE_MEMBERS or len(keys) < len(members) or not all(map(_MEMBER.fullmatch, members)):
        return ""
    return ",".join(members)
