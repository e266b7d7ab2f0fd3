"""Walks over what an audit looks at, while the fleet goes on.

Whatever a walk tells may have moved on since: it is for scripts that look again, at one moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import isfinite

from .commands import Commands
from .key_types import key_type
from .keys import Keys, pattern_of

#: Members that one command reads.
SLICE = 500

#: What is named after a queue and holds jobs.
_OF_A_QUEUE = ("suspects", "halted", "scheduled", "active", "dead")

#: What is named after a queue and holds none.
_ABOUT_A_QUEUE = ("waiting", "oldest", "stored", "ring", "tags")

#: What is named after others and looked at.
_OF_OTHERS = ("line", "held", "leases", "worker", "group")

#: Places in a line are the priority times this, and the order of arrival.
_PRIORITY_STEP = 2**48
#: What holds jobs by their places, or by their order of arrival alone.
_BY_PLACE = ("line", "suspects", "halted", "held")

#: Where a job was seen: its id, queue and tenant, '' for what the place is not named after.
Seen = tuple[str, str, str]


class AuditWalk:
    """The keys of one namespace and what stands in them, as of one walk over the server's keys.

    Parameters:
      client: of the server.
      keys: of the namespace.
    """

    def __init__(self, client: Commands, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        #: What holds jobs -> whose it is: the rest of the key's name.
        self._owners: defaultdict[str, list[str]] = defaultdict(list)
        #: Order of arrival of the newest job that waits, of those that ``jobs`` has come by.
        self.newest = 0

    def types(self) -> Iterator[tuple[str, str]]:
        """Keys, without the namespace, and the type that each must have; to be walked before all else."""
        start = len(self._keys.prefix)
        for key in self._keys_like(f"{self._keys.prefix}:"):
            kind, _, owner = key[start + 1 :].partition(":")
            if owner and kind in (*_OF_A_QUEUE, *_ABOUT_A_QUEUE, *_OF_OTHERS):
                self._owners[kind].append(owner)
            if right := key_type(key[start + 1 :]):
                yield key[start:], right

    def named(self, kind: str) -> list[str]:
        """What has keys of a kind: workers, groups."""
        return self._owners[kind]

    def jobs(self) -> Iterator[Seen]:
        """Every job by its record, by each place that it stands in, and by its leases."""
        for job_id in self._fields(self._keys.jobs):
            yield job_id, "", ""
        for key, queue, tenant in self._places():
            for job_id in self._members(key):
                yield job_id, queue, tenant
        for worker in self._owners["leases"]:
            for job_id in self._fields(self._keys.leases(worker)):
                yield job_id, "", ""

    def strangers(self) -> Iterator[str]:
        """Workers that have leases or a description and are not registered: nobody would ever take them back."""
        for worker in dict.fromkeys(self._owners["leases"] + self._owners["worker"]):
            if self._client.zscore(self._keys.workers, worker) is None and (
                self._client.exists(self._keys.leases(worker)) or self._client.exists(self._keys.worker(worker))
            ):
                yield worker

    def unknown_queues(self) -> Iterator[str]:
        """Queues that have keys and are not among the queues: nobody would look after them."""
        named = [queue for kind in (*_OF_A_QUEUE, *_ABOUT_A_QUEUE) for queue in self._owners[kind]]
        lines = [line.rpartition(":")[0] for line in self._owners["line"]]
        known = set(self.queues())
        yield from (queue for queue in dict.fromkeys(named + lines) if queue not in known)

    def idempotency_keys(self) -> Iterator[str]:
        """Idempotency keys, without the namespace."""
        for key in self._keys_like(f"{self._keys.prefix}:key:"):
            yield key[len(self._keys.prefix) :]

    def queues(self) -> list[str]:
        """The queues that the fleet knows."""
        return sorted(_text(queue) for queue in self._client.smembers(self._keys.queues))

    def tenants(self) -> Iterator[str]:
        """Tenants of whom something waits, is held, parked or counted."""
        lines = (line.rpartition(":")[2] for line in self._owners["line"])
        counted = (tenant for key in (self._keys.backlog, self._keys.parked) for tenant in self._fields(key))
        yield from dict.fromkeys([*lines, *self._owners["held"], *counted])

    def _places(self) -> Iterator[tuple[str, str, str]]:
        """Sorted sets that hold jobs, each with its queue and tenant."""
        for kind in _OF_A_QUEUE:
            for queue in self._owners[kind]:
                yield f"{self._keys.prefix}:{kind}:{queue}", queue, ""
        for names in self._owners["line"]:
            # A queue's name may have colons, a tenant's has none.
            queue, _, tenant = names.rpartition(":")
            yield self._keys.line(queue, tenant), queue, tenant
        for tenant in self._owners["held"]:
            yield self._keys.held(tenant), "", tenant

    def _members(self, key: str) -> Iterator[str]:
        by_place = key[len(self._keys.prefix) + 1 :].startswith(_BY_PLACE)
        for member, score in self._client.zscan_iter(key, count=SLICE):
            if by_place and isfinite(score):
                self.newest = max(self.newest, int(score % _PRIORITY_STEP))
            yield _text(member)

    def _fields(self, key: str) -> Iterator[str]:
        for field, _ in self._client.hscan_iter(key, count=SLICE):
            yield _text(field)

    def _keys_like(self, start: str) -> Iterator[str]:
        """Names of keys that begin so."""
        for key in self._client.scan_iter(match=pattern_of(start) + "*", count=SLICE):
            yield _text(key)


def _text(name: bytes) -> str:
    return name.decode(errors="surrogateescape")
