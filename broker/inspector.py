"""Looks at all of a namespace for the proof of conservation: every accepted job is over, or in exactly one place.

1. Every key is of the type that its name says, and what all scripts read of the fleet's state and of limits can
   be read, else whoever meets it fails.
2. Every record is looked at in slices; each slice is one moment.
3. Every member of the lines, of suspects, halted, held, scheduled, active and dead, and every lease is looked
   at, so that nothing stands there without a record.
4. Every lease, and every description of a worker, belongs to a registered one (one that is late is about to be
   taken back); every queue that has keys is among the queues.
5. Per queue, at one moment: accepted = over + here, by the counters that the scripts keep, and as many jobs wait as
   are counted. For some tenants at one moment: what they have unfinished is counted, who is parked has no free slot.
6. Over all queues, at one moment: there is a record for each job that is counted; what is kept as a count is what it
   counts; only dead letters say why they failed, and only runs are marked as cancelled.
7. Every idempotency key without a time to live stands for a job that somebody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .archive import Archive
from .audit import AuditReport, Finding, findings
from .audit_walk import AuditWalk, Seen
from .broken_fields import broken_fields
from .commands import Commands
from .errors import Unavailable
from .inspection import Inspection
from .job import SYSTEM
from .keys import Keys
from .scripts import Scripts, pack
from .slices import slices

#: Jobs, or keys, that one run of a script checks.
SLICE = 200
#: Lines of tenants whose jobs one run counts; ten thousand block the server for some 20 ms.
LINES = 5_000

#: What scripts say of counts that they do not look at, among what they find.
UNSEEN = "unseen"


class Inspector:
    """Looks, and changes nothing; safe while the fleet runs.

    Parameters:
      client: of the server.
      keys, scripts: of the namespace.
      archive: what has left Redis, if there is a database.
      rest: seconds to pause for each second of looking.
    """

    def __init__(self, client: Commands, keys: Keys, scripts: Scripts, archive: Archive | None, rest: float) -> None:
        self._client, self._keys, self._scripts = client, keys, scripts
        self._archive = archive
        self._rest = rest

    def inspect(self) -> Inspection:
        """Look at everything once; change nothing.

        Raises:
          redis.RedisError: the server is away.
        """
        walk = AuditWalk(self._client, self._keys)
        if wrong := tuple(self._wrong_types(walk)):
            # Scripts that meet them fail, so there is no more to see before they are gone.
            found = [Finding("type", key[1:], f"is a {kind} and must be a {right}") for key, kind, right in wrong]
            return Inspection(AuditReport(0, tuple(found)), types=tuple((key, right) for key, _, right in wrong))
        if broken := tuple(broken_fields(self._client, self._keys, walk)):
            found = [Finding("field", row.name, row.text) for row in broken]
            return Inspection(AuditReport(0, tuple(found)), fields=broken)
        ids: set[str] = set()
        jobs: list[Seen] = []
        found = []
        for batch in slices(walk.jobs(), SLICE, rest=self._rest):
            ids.update(job_id for job_id, *_ in batch)
            amiss = list(findings(self._scripts.call("audit_jobs", _flat(batch))))
            names = {finding.name for finding in amiss}
            jobs += [seen for seen in batch if seen[0] in names]
            found += amiss
        found += self._late_arrivals(walk.newest)
        found += [
            Finding("worker", name, "has leases or a description but is not registered") for name in walk.strangers()
        ]
        unknown = tuple(walk.unknown_queues())
        found += [Finding("queue", name, "has keys but is not among the queues") for name in unknown]
        orphans = tuple(self._orphans(walk))
        found += [Finding("key", key[1:], _of_orphan(job_id)) for key, job_id in orphans]
        queues = walk.queues()
        found += self.sums_of(queues)
        found += self._of_tenants(walk, len(queues))
        for script in ("audit_slots", "audit_totals"):
            found += findings(self._scripts.call(script))
        distinct = dict.fromkeys(found)
        unseen = tuple(finding for finding in distinct if finding.kind == UNSEEN)
        report = AuditReport(len(ids), tuple(finding for finding in distinct if finding.kind != UNSEEN), unseen=unseen)
        return Inspection(report, tuple(jobs), orphans=orphans, queues=unknown, newest=walk.newest)

    def _late_arrivals(self, newest: int) -> Iterator[Finding]:
        """Whether the fleet's state was lost: the count of arrivals never falls behind a job that was seen before."""
        counted = self._client.hget(self._keys.fleet, "sequence")
        if int(float(counted or 0)) < newest:
            since = f"from {counted.decode()}" if counted else "from the beginning"
            text = f"are counted {since}, and number {newest} still waits: what is sent now goes before it"
            yield Finding("fleet", "arrivals", text)

    def sums_of(self, queues: Iterable[str]) -> Iterator[Finding]:
        """What is wrong with the sums of each queue.

        Raises:
          redis.RedisError: the server is away.
        """
        for (queue,) in slices(queues, 1, rest=self._rest):
            yield from findings(self._scripts.call("audit_queue", queue.encode(errors="surrogateescape")))

    def _of_tenants(self, walk: AuditWalk, queues: int) -> Iterator[Finding]:
        """What is wrong with the counts of each tenant, and with who is parked."""
        size = max(1, LINES // max(1, queues))
        # At least once: it also finds jobs whose tenants nothing leads to.
        for batch in slices([*walk.tenants()] or [SYSTEM], size, rest=self._rest):
            yield from findings(self._scripts.call("audit_tenants", pack(batch)))

    def _wrong_types(self, walk: AuditWalk) -> Iterator[tuple[str, str, str]]:
        """Keys without the namespace, the type that each has, and the one that it must have."""
        for batch in slices(walk.types(), SLICE, rest=self._rest):
            right = dict(batch)
            words = [word.decode(errors="surrogateescape") for word in self._scripts.call("audit_types", _flat(batch))]
            for key, kind in zip(words[::2], words[1::2], strict=True):
                yield key, kind, right[key]

    def _orphans(self, walk: AuditWalk) -> Iterator[tuple[str, str]]:
        """Keys for jobs that neither Redis nor, as a dead letter, the archive knows.

        Where there is no archive at hand, only those that cannot be read: their job is ''.
        """
        for batch in slices(walk.idempotency_keys(), SLICE, rest=self._rest):
            words = [word.decode(errors="surrogateescape") for word in self._scripts.call("audit_keys", pack(batch))]
            for key, job_id in zip(words[::2], words[1::2], strict=True):
                if not job_id or self._is_over(job_id):
                    yield key, job_id

    def _is_over(self, job_id: str) -> bool:
        """Whether the archive, when asked, does not know a job as a dead letter."""
        try:
            return self._archive is not None and self._archive.dead_letter(job_id) is None
        except Unavailable:
            self._archive = None
            return False


def _of_orphan(job_id: str) -> str:
    return f"stands for job {job_id}, which nobody knows" if job_id else "cannot be read"


def _flat(rows: Iterable[tuple[str, ...]]) -> bytes:
    return pack([part for row in rows for part in row])
