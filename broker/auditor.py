"""Proof of conservation: every accepted job is over, or in exactly one place; and what mends it where it is not.

What is looked at stands in ``inspector``. A repair mends what was found and looks again, until nothing is found or
nothing more can be done.
"""

from __future__ import annotations

from dataclasses import replace

from .archive import Archive
from .audit import AuditReport, Repair
from .audit_walk import AuditWalk
from .commands import Commands
from .inspection import Inspection
from .inspector import SLICE, Inspector
from .keys import Keys
from .repairs import Repairs
from .scripts import Scripts
from .slices import slices

#: Repairs with a look after each: a job can only be mended once its place can be read, say.
ROUNDS = 5


class Auditor:
    """Audits one namespace; safe while the fleet runs.

    Parameters:
      client: of the server.
      keys, scripts: of the namespace.
      archive: what has left Redis, if there is a database.
      rest: seconds to pause for each second of looking.
    """

    def __init__(
        self, client: Commands, keys: Keys, scripts: Scripts, archive: Archive | None, rest: float = 0.0
    ) -> None:
        self._client, self._keys = client, keys
        self._inspector = Inspector(client, keys, scripts, archive, rest)
        self._repairs = Repairs(client, keys, scripts)

    def audit(self) -> AuditReport:
        """Look at everything, and change nothing.

        Raises:
          redis.RedisError: the server is away.
        """
        return self._inspector.inspect().report

    def repair(self) -> AuditReport:
        """Look, mend what is found, and look again.

        Raises:
          redis.RedisError: the server is away.
        """
        seen = first = self._inspector.inspect()
        done: list[Repair] = []
        for _ in range(ROUNDS):
            if seen.report.clean:
                break
            done += self._mend(seen)
            seen = self._inspector.inspect()
        return replace(first.report, repairs=tuple(done), left=seen.report.findings)

    def _mend(self, seen: Inspection) -> list[Repair]:
        if seen.types:
            return self._repairs.mend_types(seen.types)
        if seen.fields:
            return self._repairs.mend_fields(seen.fields)
        done = [self._repairs.mend_arrivals(seen.newest) for _ in seen.names("fleet")]
        done += [repair for worker in seen.names("worker") for repair in self._repairs.mend_worker(worker)]
        for batch in slices(seen.jobs, SLICE):
            done += self._repairs.mend_jobs(batch)
        done += [repair for queue in seen.queues for repair in self._repairs.mend_queue(queue)]
        done += self._repairs.mend_keys(seen.names("key"), seen.orphans)
        done += self._repairs.mend_totals()
        for finding in self._inspector.sums_of(AuditWalk(self._client, self._keys).queues()):
            if finding.kind == "waiting":
                done += self._repairs.count_waiting(finding.name)
        return done
