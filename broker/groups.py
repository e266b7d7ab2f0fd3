"""Groups with completion callbacks, counted by the settle.

Dramatiq counts members down in a barrier, before a member is acknowledged: one whose worker dies in
between counts twice, and the callbacks run before the group is complete. Here the size of a group
is noted when it is sent, members are counted by their ids in the settle that completes them, and
the callbacks are sent by the settle of the last one.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from dramatiq.message import Message
from dramatiq.rate_limits import RateLimiterBackend

from .admission import admit
from .connection import reachable
from .current_trace import current_trace
from .job import SYSTEM
from .lease import Lease, current_lease
from .settings import settings
from .trace_context import TRACEPARENT

if TYPE_CHECKING:
    from .fleet import Fleet


class GroupSizes(RateLimiterBackend):
    """What ``GroupCallbacks`` gets instead of its own backend: sizes of groups, and members that completed."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def add(self, key: str, value: int, ttl: int) -> bool:
        """Note the size of a new group.

        Raises:
          dramatiq.errors.ConnectionClosed: the server is away.
        """
        with reachable(self._fleet.client):
            self._fleet.scripts.call("group", key, value, ttl)
        return True

    def decr(self, key: str, amount: int, minimum: int, ttl: int) -> bool:
        """A member's run has completed: its settle will count it.

        Returns:
          True: as far as this process knows others are missing, so it must not send the callbacks.
        """
        lease = current_lease()
        if lease is not None:
            callbacks = lease.options.get("group_completion_callbacks") or []
            ready = [admit(_callback(lease, Message(**data)), None, settings().payload_max) for data in callbacks]
            lease.group = (key, ttl, ready)
        return True


def _callback(lease: Lease, message: Message[Any]) -> Message[Any]:
    """A completion callback as the settle sends it, past the hooks: in the tenant and the trace of the run."""
    message = of_tenant(lease, message)
    trace = current_trace()
    if trace is not None and TRACEPARENT not in message.options:
        trace.write(message.options)
    return message


class MembersSent(threading.local):
    """The members of the group that this thread is sending; Dramatiq sends them one after the other."""

    def __init__(self) -> None:
        self.group = ""
        self.members: set[str] = set()
        self.repeats = 0

    def repeated(self, group: str, member: str) -> int:
        """Note a member.

        Returns:
          0 when it is new; else how often the group has sent a member again: such a one is one job
          and counts once.
        """
        if group != self.group:
            self.group, self.members, self.repeats = group, set(), 0
        if member not in self.members:
            self.members.add(member)
            return 0
        self.repeats += 1
        return self.repeats


def of_tenant(lease: Lease, message: Message[Any]) -> Message[Any]:
    """What a run's hooks send belongs to the run's tenant where it does not name its own."""
    if lease.job.tenant_id == SYSTEM or "tenant_id" in message.kwargs or "tenant_id" in message.options:
        return message
    return message.copy(options={"tenant_id": lease.job.tenant_id})
