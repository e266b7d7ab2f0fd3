"""Where jobs that are not over stand, walked in bounded slices while the fleet goes on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from .commands import Commands
from .job import SYSTEM
from .keys import Keys

#: Members that one command reads, and lines that are looked at in one round trip.
SLICE = 500


class UnfinishedJobs:
    """Walks over the places of unfinished jobs, in the direction in which jobs move.

    So whatever moves on during a walk is met at least once. What goes back (a retry, a released run) may be missed.

    Parameters:
      client: of the server.
      keys: of the namespace.
    """

    def __init__(self, client: Commands, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def ids(self, queue: str | None, tenant: str | None, states: Collection[str]) -> Iterator[str]:
        """Ids of jobs in the given states; also some of other tenants or queues, where these stand together.

        Raises:
          redis.RedisError: the server is away.
        """
        queues = [queue] if queue else sorted(name.decode() for name in self._client.smembers(self._keys.queues))
        for key in self._places(queues, tenant, states):
            for member, _ in self._client.zscan_iter(key, count=SLICE):
                yield member.decode()

    def _places(self, queues: Sequence[str], tenant: str | None, states: Collection[str]) -> Iterator[str]:
        keys = self._keys
        if "scheduled" in states:
            yield from (keys.held(name) for name in ([tenant] if tenant else self._gated()))
            yield from map(keys.scheduled, queues)
        if "pending" in states:
            yield from map(keys.halted, queues)
            yield from self._lines(queues, [tenant] if tenant else self._tenants())
            yield from map(keys.suspects, queues)
        if "active" in states:
            yield from map(keys.active, queues)

    def _gated(self) -> list[str]:
        """Tenants whose rate holds jobs."""
        return [tenant.decode() for tenant, _ in self._client.zscan_iter(self._keys.gates, count=SLICE)]

    def _tenants(self) -> list[str]:
        """Tenants that may have jobs in lines; their backlogs, unlike rings, stay where they are during a walk."""
        found = {tenant.decode() for tenant, _ in self._client.hscan_iter(self._keys.backlog, count=SLICE)}
        return [SYSTEM, *sorted(found)]

    def _lines(self, queues: Sequence[str], tenants: Sequence[str]) -> Iterator[str]:
        """Lines with somebody in them; most tenants have none in most queues."""
        for queue in queues:
            for start in range(0, len(tenants), SLICE):
                lines = [self._keys.line(queue, tenant) for tenant in tenants[start : start + SLICE]]
                asked = self._client.pipeline(transaction=False)
                for line in lines:
                    asked.exists(line)
                yield from (line for line, found in zip(lines, asked.execute(), strict=True) if found)
