"""Which unfinished jobs are meant."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .errors import JobfleetError

#: States of jobs that can be cancelled.
STATES = ("pending", "scheduled", "active")


@dataclass(frozen=True, kw_only=True)
class CancelFilter:
    """Jobs that match all that is given.

    Raises:
      JobfleetError: nothing is given, or it can match no job.
    """

    queue: str | None = None
    tenant_id: int | str | None = None
    actor: str | None = None
    states: Collection[str] = ("pending", "scheduled")

    def __post_init__(self) -> None:
        given = {"queue": self.queue, "tenant_id": self.tenant_id, "actor": self.actor}
        if all(value is None for value in given.values()):
            raise JobfleetError("nothing was cancelled: give a queue, a tenant or an actor; everything is too much")
        if empty := [name for name, value in given.items() if value == ""]:
            raise JobfleetError(f"nothing was cancelled: {empty[0]} is empty; leave it out to mean any")
        states = (self.states,) if isinstance(self.states, str) else tuple(self.states)
        unknown = [str(state) for state in states if state not in STATES]
        if unknown or not states:
            named = ", ".join(unknown) or "empty"
            raise JobfleetError(f"nothing was cancelled: states are {named}; allowed are {', '.join(STATES)}")
        object.__setattr__(self, "states", states)

    @property
    def tenant(self) -> str | None:
        """The tenant as Redis names it."""
        return None if self.tenant_id is None else str(self.tenant_id)

    def row(self) -> list[object]:
        """As ``lua/cancel_many.lua`` reads it."""
        return [self.queue or "", self.tenant or "", self.actor or "", dict.fromkeys(self.states, 1)]
