"""Which dead letters are meant."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from .dead_letter import DeadLetter
from .errors import JobfleetError


@dataclass(frozen=True, kw_only=True)
class DeadLetterFilter:
    """Dead letters that match all that is given.

    Parameters:
      queue, tenant, actor: exact names.
      error: a part of the error's text.

    Raises:
      JobfleetError: what is given is empty; as a part of any text it would match everything.
    """

    queue: str | None = None
    tenant: str | None = None
    actor: str | None = None
    error: str | None = None

    def __post_init__(self) -> None:
        if empty := [name for name, value in asdict(self).items() if value == ""]:
            raise JobfleetError(f"{empty[0]} is empty; leave it out to mean any")

    def matches(self, letter: DeadLetter) -> bool:
        """Whether it is one of those that are meant."""
        return (
            (self.queue is None or letter.queue == self.queue)
            and (self.tenant is None or letter.tenant_id == self.tenant)
            and (self.actor is None or letter.actor == self.actor)
            and (self.error is None or self.error in letter.error)
        )
