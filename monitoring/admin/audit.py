"""Who changed what."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ..admin_audit import AdminAudit
from .call import Call
from .route import look


class AuditSearch(BaseModel):
    """Which changes; all that is given must hold."""

    model_config = ConfigDict(extra="forbid")

    route: str | None = Field(
        default=None, max_length=255, description="As this document has it, such as /admin/queues/{queue}/pause."
    )
    since: AwareDatetime | None = Field(default=None, description="Asked for at this moment or later.")
    until: AwareDatetime | None = Field(default=None, description="Asked for before this moment.")
    after: UUID | None = Field(default=None, description="The field next of the page before.")
    limit: int = Field(default=50, ge=1, le=500, description="Changes on a page.")


def _list(call: Call) -> dict[str, Any]:
    wanted: AuditSearch = call.given
    found = AdminAudit(call.fleet.database, call.fleet.broker).changes(
        route=wanted.route, since=wanted.since, before=wanted.until, after=wanted.after, limit=wanted.limit
    )
    full = len(found) == wanted.limit
    return {"changes": found, "next": found[-1]["id"] if full else None}


ROUTES = (
    look(
        "/admin/audit",
        _list,
        "What was changed over HTTP, by whom, and with what outcome; newest first, a page at a time.",
        takes=AuditSearch,
        refusals=(400,),
    ),
)
