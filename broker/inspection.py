"""One look at everything that an audit looks at, with what a repair needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass

from .audit import AuditReport
from .audit_walk import Seen
from .broken_fields import BrokenField


@dataclass(frozen=True)
class Inspection:
    """What was seen."""

    report: AuditReport
    #: Where jobs with findings were seen.
    jobs: tuple[Seen, ...] = ()
    #: Keys of a wrong type, without the namespace, with the type that they must have.
    types: tuple[tuple[str, str], ...] = ()
    #: What stands in hashes and cannot be read.
    fields: tuple[BrokenField, ...] = ()
    #: Queues that have keys and are not among the queues.
    queues: tuple[str, ...] = ()
    #: Order of arrival of the newest job that waits.
    newest: int = 0
    #: Idempotency keys, without the namespace, with the ids of the unknown jobs that they stand for.
    orphans: tuple[tuple[str, str], ...] = ()

    def names(self, kind: str) -> list[str]:
        """What the findings of a kind are about."""
        return [finding.name for finding in self.report.findings if finding.kind == kind]
