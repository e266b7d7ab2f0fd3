"""Writes down a change that is asked for, without standing in its way.

1. Before the change its row is written, so that also a monitor that dies on the way leaves word of it.
2. After it the row gets what became of it.
3. Where PostgreSQL cannot be had in time the change goes on all the same: an operator must be able to pause a queue in
   an outage. Its row waits in Redis, and is written later; failing that, the log has it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import anyio
from anyio import to_thread
from pydantic import BaseModel
from starlette.requests import Request

from ..admin_audit import AdminAudit
from ..admin_change import AdminChange, shown
from ..storable import text
from .role import Role
from .route import Route

LOGGER = logging.getLogger(__name__)

#: Seconds that a change waits for its row; a server that hangs, unlike one that is gone, would hold it for ever.
WRITE_SECONDS = 4.0
#: Characters of an address.
ADDRESS_MOST = 255


class AuditEntry:
    """The row of one change.

    Parameters:
      audit: where it goes.
      change: what is known of it as soon as somebody asks.
    """

    def __init__(self, audit: AdminAudit, change: AdminChange) -> None:
        self._audit = audit
        self._change = change
        #: Whether PostgreSQL answered a moment ago; if not, nobody waits for it again.
        self._answers = True

    async def begin(self, given: BaseModel) -> None:
        """Write that this is about to be done, with these values."""
        self._change = self._change.asking(given.model_dump(mode="json", exclude_unset=True))
        self._answers = await self._tried(self._audit.write, "has no row yet")

    async def done(self, answer: object) -> None:
        """Write what was done."""
        self._change = self._change.done(answer)
        await self._end()

    async def refused(self, status: int, sentence: str) -> None:
        """Write why it was not, or perhaps not wholly."""
        self._change = self._change.refused(status, sentence)
        await self._end()

    async def _end(self) -> None:
        if self._answers and await self._tried(self._audit.write, "has no outcome in its row yet"):
            return
        if not await self._tried(self._audit.keep, "cannot wait in Redis for its row"):
            LOGGER.error("This change has no whole audit row and will get none: %s", self._change.packed().decode())

    async def _tried(self, write: Callable[[AdminChange], None], problem: str) -> bool:
        change = self._change
        try:
            with anyio.fail_after(WRITE_SECONDS):
                # A thread that hangs is left behind; should it ever write, that does no harm (see ``admin_audit.sql``).
                await to_thread.run_sync(write, change, abandon_on_cancel=True)
        except Exception as error:  # noqa: BLE001 (whatever it is, the change must be possible)
            why = " ".join(str(error).split()) or f"no answer within {WRITE_SECONDS:g} s"
            LOGGER.warning("The change %s (%s %s) %s: %s", change.id, change.method, change.route, problem, why)
            return False
        return True


def asked(route: Route, request: Request, role: Role, fingerprint: str) -> AdminChange:
    """What is known of a change as soon as somebody asks for it."""
    forwarded = request.headers.get("x-forwarded-for")
    return AdminChange(
        id=uuid4(),
        at=datetime.now(UTC),
        role=role.value,
        fingerprint=fingerprint,
        remote=request.client.host if request.client else "",
        forwarded_for=None if forwarded is None else text(forwarded, ADDRESS_MOST),
        method=route.method,
        route=route.path,
        parameters=shown(request.path_params),
    )
