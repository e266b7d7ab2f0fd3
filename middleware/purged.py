"""What a tenant's offboarding did, or would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Purged:
    """The answer of ``purge_tenant``."""

    tenant_id: str
    #: Whether this only says what would be done.
    dry_run: bool
    #: What -> how many: ``waiting jobs``, ``running jobs``, ``dead letters``, then rows by table, ``files`` if they were
    #: looked at.
    counts: Mapping[str, int]
    #: Sentences on what could not be brought to an end, each with what to do; empty when nothing of the tenant is left.
    left: tuple[str, ...] = ()
