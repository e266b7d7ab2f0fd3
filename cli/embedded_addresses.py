"""Where a fleet's servers are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class EmbeddedAddresses:
    """The servers that a fleet on this machine uses, its own or those that it was given."""

    redis_url: str
    database_url: str
