"""Options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
QueueFilter = Annotated[str | None, typer.Option("--queue", "-Q", help="Only this queue.")]
TenantFilter = Annotated[str | None, typer.Option("--tenant", help="Only this tenant.")]
ActorFilter = Annotated[str | None, typer.Option("--actor", help="Only this actor.")]
ErrorFilter = Annotated[str | None, typer.Option("--error", help="Only errors whose text contains this.")]


class Status(StrEnum):
    """The states of a job, as in the README's drawing."""

    PENDING = "pending"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    DISCARDED = "discarded"
