"""Groups with completion callbacks, counted by the settle.

Dramatiq counts members down in a barrier, before a member is acknowledged: one whose worker dies in
between counts twice, and the callbacks run before the group is complete. Here the size of a group
is noted when it is sent, members are counted by their ids in the settle that completes them, and
the callbacks are sent by the settle of the last one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dramatiq.message import Message
from dramatiq.middleware import GroupCallbacks
from dramatiq.rate_limits import RateLimiterBackend

from .admission import admit
from .connection import reachable
from .lease import Lease
from .settings import settings

if TYPE_CHECKING:
    from .fleet import Fleet


class GroupSizes(RateLimiterBackend):
    """What ``GroupCallbacks`` gets instead of its own backend: it keeps the sizes of groups."""

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


def count_member(middleware: GroupCallbacks) -> Callable[..., None]:
    """The hook that takes the place of the middleware's own."""

    def after_process_message(
        broker: Any, message: Any, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        lease: Lease | None = getattr(message, "lease", None)
        group = message.options.get("group_completion_uuid")
        callbacks = message.options.get("group_completion_callbacks")
        if exception is None and lease is not None and group and callbacks:
            ready = [admit(_of_tenant(lease, data), None, settings().payload_max) for data in callbacks]
            lease.group = (group, middleware.barrier_ttl, ready)

    return after_process_message


def _of_tenant(lease: Lease, data: dict[str, Any]) -> Message[Any]:
    message = Message[Any](**data)
    if "tenant_id" in message.kwargs or "tenant_id" in message.options:
        return message
    return message.copy(options={"tenant_id": lease.job.tenant_id})
