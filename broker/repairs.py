"""Mends what an audit finds, through scripts that each see one moment and change nothing the second time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dramatiq.errors import DecodeError
from dramatiq.message import Message

from .audit import Repair, repairs
from .audit_walk import Seen
from .broken_fields import BrokenField
from .commands import Commands
from .errors import JobfleetError
from .keys import Keys
from .policy import digest
from .record import Record
from .scripts import Scripts, pack


class Repairs:
    """The repairs of one namespace; safe while the fleet runs.

    Parameters:
      client: of the server.
      keys, scripts: of the namespace.
    """

    def __init__(self, client: Commands, keys: Keys, scripts: Scripts) -> None:
        self._client = client
        self._keys = keys
        self._scripts = scripts

    def mend_types(self, wrong: Sequence[tuple[str, str]]) -> list[Repair]:
        """Remove keys (without the namespace) that are not of the type that each must have."""
        gone = self._scripts.call("repair_types", pack([part for row in wrong for part in row]))
        return [
            Repair(key[1:], f"was no {kind} and could not be read: it is gone")
            for (key, kind), done in zip(wrong, gone, strict=True)
            if done
        ]

    def mend_fields(self, broken: Sequence[BrokenField]) -> list[Repair]:
        """Take out what cannot be read."""
        self._scripts.call("repair_fields", pack([part for row in broken for part in (row.hash, row.field, row.value)]))
        return [Repair(row.name, row.repaired) for row in broken]

    def mend_arrivals(self, newest: int) -> Repair:
        """Count arrivals on from the newest job that waits."""
        return Repair("arrivals", f"are counted from {self._scripts.call('repair_fleet', newest)} again")

    def mend_worker(self, worker: str) -> list[Repair]:
        """Give back what a worker holds, unless it is registered."""
        ended = self._scripts.call_once("repair_worker", worker)
        return [Repair(worker, f"was not registered: {ended} leases were given back")] if ended >= 0 else []

    def mend_queue(self, queue: str) -> list[Repair]:
        """Let a queue be among the queues again, where all that is counted of it is looked at."""
        added = self._client.sadd(self._keys.queues, queue)
        return [Repair(queue, "is among the queues again")] if added else []

    def mend_jobs(self, seen: Iterable[Seen]) -> list[Repair]:
        """Put each job into exactly one place, with what belongs to that place."""
        flat = [part for where in seen for part in where]
        return list(repairs(self._scripts.call_once("repair_jobs", pack(flat))))

    def mend_keys(self, missing: Iterable[str], orphans: Sequence[tuple[str, str]]) -> list[Repair]:
        """Remember the idempotency keys of jobs again, and forget those of jobs that nobody knows.

        Parameters:
          missing: ids of jobs.
          orphans: keys without the namespace, with the ids of the jobs that they stand for.
        """
        digests = [part for job_id in missing for part in self._digests(job_id)]
        if not digests and not orphans:
            return []
        flat = [part for row in orphans for part in row]
        remembered, freed = self._scripts.call("repair_keys", pack(digests), pack(flat))
        done = [
            Repair(job_id, "has its idempotency key again")
            for job_id, right in zip(digests[::2], remembered, strict=True)
            if right
        ]
        return done + [
            Repair(key[1:], "stood for no job that anybody knows: it is free")
            for (key, job_id), right in zip(orphans, freed, strict=True)
            if right
        ]

    def _digests(self, job_id: str) -> Iterator[str]:
        """The id and what its key was sent with; nothing for a job that is gone or cannot be read."""
        packed = self._client.hget(self._keys.jobs, job_id)
        try:
            if packed is not None:
                yield from (job_id, digest(Message.decode(Record.decode(packed).message)))
        except (DecodeError, JobfleetError, ValueError):
            return

    def mend_totals(self) -> list[Repair]:
        """Count anew what is kept as a count, all but the waiting jobs, and correct the counters of queues."""
        return list(repairs(self._scripts.call_once("repair_totals")))

    def count_waiting(self, queue: str) -> list[Repair]:
        """Count the waiting jobs of a queue anew."""
        waiting = self._scripts.call_once("repair_waiting", queue)
        return [Repair(queue, f"its waiting jobs were counted anew: {waiting}")]
