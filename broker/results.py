"""Results that travel in the settle of their job: no round trip of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dramatiq.broker import MessageProxy
from dramatiq.logging import get_logger
from dramatiq.message import Message
from dramatiq.results import Missing, ResultBackend

from .lease import current_lease
from .result_ttl import kept_ms
from .shown import shown

if TYPE_CHECKING:
    from .fleet import Fleet


class SettledResults(ResultBackend):
    """Backend for Dramatiq's ``Results``: a result is stored by the settle that completes its job.

    A result that JSON cannot express fails its job for good: it would fail the same way each time. One whose
    ``result_ttl`` is no time above 0 is not kept, as with Dramatiq's own backends.

    Parameters:
      fleet: whose jobs' results these are, such as the broker; nothing is read of it yet.
    """

    def __init__(self, fleet: Fleet) -> None:
        super().__init__()
        self.logger = get_logger(__name__, type(self))
        self._fleet = fleet

    def build_message_key(self, message: Message[Any] | MessageProxy) -> str:
        """The key of a job's result."""
        return self._fleet.keys.result(message.message_id)

    def store_result(self, message: Message[Any] | MessageProxy, result: Any, ttl: object) -> None:
        """Hand a result to the settle of its run, or write it when it is not the current run's."""
        lease = current_lease()
        if lease is None or lease.job.job_id != message.message_id:
            super().store_result(message, result, ttl)  # type: ignore[arg-type]
            return
        kept = kept_ms(ttl)
        if not kept:
            self.logger.warning(
                "the result of job %s is not kept: its result_ttl is %s", message.message_id, shown(ttl)
            )
        key = self.build_message_key(message) if kept else ""
        try:
            lease.result = (json.dumps(result, separators=(",", ":")), key, kept)
        except (TypeError, ValueError, RecursionError) as error:
            lease.reason, lease.error = "bad_result", f"the result is not JSON: {error}"

    def store_exception(self, message: Message[Any] | MessageProxy, exception: Exception, ttl: object) -> None:
        """Write why a job failed, unless others have ended it: then it may have a result by now."""
        lease = current_lease()
        if lease is None or not lease.taken_away:
            super().store_exception(message, exception, ttl)  # type: ignore[arg-type]

    def _get(self, message_key: str) -> Any:
        data = self._fleet.commands.get(message_key)
        return Missing if data is None else self.encoder.decode(data)

    def _store(self, message_key: str, result: Any, ttl: object) -> None:
        if kept := kept_ms(ttl):
            self._fleet.commands.set(message_key, self.encoder.encode(result), px=kept)
