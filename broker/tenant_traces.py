"""What Redis remembers of a tenant whose jobs are over."""

from __future__ import annotations

from collections.abc import Sequence

from .commands import Commands
from .keys import Keys, pattern_of
from .slices import slices

#: Keys that one command looks for, and that one round trip asks about.
SLICE = 1_000
#: What is answered of a key that no time ends: that of a job that is not over.
STAYS = -1


class TenantTraces:
    """Forgets what would be there until its time has come: keys of sends, results, admissions, turns.

    Parameters:
      client: of the server.
      keys: of the namespace.
    """

    def __init__(self, client: Commands, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def forget(self, tenant: str) -> None:
        """Let a tenant be one that was never there. What belongs to a job that is not over stays.

        Raises:
          redis.RedisError: the server is away.
        """
        asked = self._client.pipeline(transaction=False)
        asked.unlink(self._keys.times(tenant))
        for queue in self._client.smembers(self._keys.queues):
            asked.zrem(self._keys.tags(queue.decode()), tenant)
        asked.execute()
        self._forget_keys(tenant)

    def forget_results(self, job_ids: Sequence[str]) -> None:
        """Forget what jobs returned.

        Raises:
          redis.RedisError: the server is away.
        """
        asked = self._client.pipeline(transaction=False)
        for job_id in job_ids:
            asked.unlink(self._keys.result(job_id))
        asked.execute()

    def _forget_keys(self, tenant: str) -> None:
        names = self._client.scan_iter(match=f"{pattern_of(self._keys.idempotency(tenant))}*", count=SLICE)
        for found in slices(names, SLICE):
            asked = self._client.pipeline(transaction=False)
            for name in found:
                asked.pttl(name)
            over = [name for name, left in zip(found, asked.execute(), strict=True) if left != STAYS]
            for name in over:
                asked.unlink(name)
            asked.execute()
