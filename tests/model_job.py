"""One job of the model, and the order in which its events may come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

#: Where a job is -> the events that may come next -> where it is then. A run's start is no event.
LAWFUL = {
    "new": {"enqueued": "open"},
    "open": {
        **dict.fromkeys(("started", "progress", "retry", "postponed", "lost", "released"), "open"),
        **dict.fromkeys(("completed", "skipped", "cancelled"), "over"),
        "failed": "dead",
    },
    "dead": {"replayed": "open", "discarded": "over"},
    "over": {"enqueued": "open"},
}


def lawful(kinds: Iterable[str]) -> bool:
    """Whether a job may have these events, in this order."""
    state: str | None = "new"
    for kind in kinds:
        state = LAWFUL.get(state or "", {}).get(kind)
    return state is not None


@dataclass
class Job:
    """One job; ``place`` orders its tenant's line, ``since`` is when it could run, was fetched, died or is due."""

    job_id: str
    queue: str
    tenant: str
    actor: str
    priority: int
    state: str = "new"
    place: tuple[int, int] = (0, 0)
    since: int = 0
    #: Attempts that have ended, and workers lost since the last one.
    attempts: int = 0
    losses: int = 0
    #: Who holds it by which fetch, since when, and what the tenant was charged for the start.
    worker: str = ""
    number: int = 0
    fetched: int = 0
    charge: float = 0.0
    alone: bool = False
    cancelling: bool = False
    #: What its completion sends, or the completion of its whole group.
    then: list[Job] = field(default_factory=list)
    group: str = ""
    #: Its events: kind, attempt, worker.
    history: list[tuple[str, int, str]] = field(default_factory=list)

    def anew(self) -> Job:
        """The job as it is when its id, long after it ended, is sent again."""
        new = Job(self.job_id, self.queue, self.tenant, self.actor, self.priority, history=self.history)
        new.then, new.group = self.then, self.group
        return new

    def ending(self, kind: str) -> str:
        """What a run ends with that would end with `kind`: where someone cancelled it, there is no other run."""
        return "cancelled" if self.cancelling and kind in ("retry", "postponed") else kind

    def note(self, kind: str, attempt: int, worker: str = "") -> None:
        """One event."""
        self.history.append((kind, attempt, worker))
