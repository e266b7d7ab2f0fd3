"""Groups with completion callbacks, counted by the settle.

Dramatiq counts members down in a barrier, before a member is acknowledged: one whose worker dies in
between counts twice, and the callbacks run before the group is complete. Here the size of a group
is noted when it is sent, members are counted by their ids in the settle that completes them, and
the callbacks are sent by the settle of the last one. Their hooks run once, as in Dramatiq: in the
process of the member by which the runs of all have come to an end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import redis
from dramatiq.message import Message
from dramatiq.rate_limits import RateLimiterBackend

from .connection import reachable
from .job import SYSTEM
from .lease import Admitted, Lease, current_lease

if TYPE_CHECKING:
    from .fleet import Fleet


class GroupSizes(RateLimiterBackend):
    """What ``GroupCallbacks`` gets instead of its own backend: sizes of groups, and members that completed.

    Parameters:
      fleet: where the groups are.
      enqueue: sends a message as any hook of a run does.
    """

    def __init__(self, fleet: Fleet, enqueue: Callable[[Message[Any]], object]) -> None:
        self._fleet = fleet
        self._enqueue = enqueue

    def add(self, key: str, value: int, ttl: int) -> bool:
        """Note the size of a new group.

        Raises:
          dramatiq.errors.ConnectionClosed: the server is away.
        """
        with reachable(self._fleet.client):
            self._fleet.scripts.call("group", key, value, ttl)
        return True

    def decr(self, key: str, amount: int, minimum: int, ttl: int) -> bool:
        """A member's run has completed: its settle will count it, and bring the callbacks if no run is missing.

        Returns:
          True: as far as Dramatiq knows others are missing, so it must not send the callbacks.
        """
        lease = current_lease()
        if lease is not None and not lease.handed_over:
            lease.group = (key, ttl, [])
            if self._all_have_arrived(key, lease.job.job_id, ttl):
                self._bring_callbacks(lease, lease.group[2])
        return True

    def _all_have_arrived(self, key: str, member: str, ttl: int) -> bool:
        try:
            return bool(self._fleet.scripts.call("group_arrive", key, member, ttl))
        except redis.RedisError:
            return True  # callbacks that two members bring are sent once

    def _bring_callbacks(self, lease: Lease, brought: list[tuple[Admitted, str]]) -> None:
        """Send the callbacks as hooks send, but with the settle that completes the group."""
        of_the_run = len(lease.sends)
        try:
            for callback in lease.options.get("group_completion_callbacks") or ():
                self._enqueue(Message(**callback))
        finally:
            brought += lease.sends[of_the_run:]
            del lease.sends[of_the_run:]


def of_tenant(lease: Lease, message: Message[Any]) -> Message[Any]:
    """What a run's hooks send belongs to the run's tenant where it does not name its own."""
    if lease.job.tenant_id == SYSTEM or "tenant_id" in message.kwargs or "tenant_id" in message.options:
        return message
    return message.copy(options={"tenant_id": lease.job.tenant_id})
