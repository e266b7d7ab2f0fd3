"""Results that travel in the settle of their job: no round trip of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from dramatiq.broker import MessageProxy
from dramatiq.message import Message
from dramatiq.results import Missing, ResultBackend

from .commands import Commands
from .lease import current_lease


class SettledResults(ResultBackend):
    """Backend for Dramatiq's ``Results``: a result is stored by the settle that completes its job.

    A result that JSON cannot express fails its job for good: it would fail the same way each time.

    Parameters:
      client: gives the Redis client when it is first needed.
      key: names the key of a job's result.
    """

    def __init__(self, client: Callable[[], Commands], key: Callable[[str], str]) -> None:
        super().__init__()
        self._client = client
        self._key = key

    def build_message_key(self, message: Message[Any] | MessageProxy) -> str:
        """The key of a job's result."""
        return self._key(message.message_id)

    def store_result(self, message: Message[Any] | MessageProxy, result: Any, ttl: int) -> None:
        """Hand a result to the settle of its run, or write it when it is not the current run's."""
        lease = current_lease()
        if lease is None or lease.job.job_id != message.message_id:
            super().store_result(message, result, ttl)
            return
        try:
            lease.result = (json.dumps(result, separators=(",", ":")), self.build_message_key(message), ttl)
        except (TypeError, ValueError) as error:
            lease.reason, lease.error = "bad_result", f"the result is not JSON: {error}"

    def _get(self, message_key: str) -> Any:
        data = self._client().get(message_key)
        return Missing if data is None else self.encoder.decode(data)

    def _store(self, message_key: str, result: Any, ttl: int) -> None:
        self._client().set(message_key, self.encoder.encode(result), px=ttl)
