"""How full the Redis server is, for the scripts that cannot ask it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import redis
from dramatiq.logging import get_logger

from .commands import Commands

#: Seconds for which an answer is used again: INFO costs the server more than a send does.
KEPT_SECONDS = 1.0


class Memory:
    """The memory of one Redis server; safe to use from several threads, which at worst ask it twice.

    Parameters:
      client: whose server it is.
    """

    def __init__(self, client: Commands) -> None:
        self._logger = get_logger(__name__, type(self))
        self._client = client
        self._asked = -KEPT_SECONDS
        self._percent: int | None = None
        self._refused = False

    def percent(self) -> int | None:
        """Percent of ``maxmemory`` in use, at most KEPT_SECONDS old.

        Returns:
          0 where there is no limit; None where it is not known: managed servers may hide both numbers or forbid INFO.

        Raises:
          redis.ConnectionError, redis.TimeoutError: the server is away.
        """
        if time.monotonic() - self._asked >= KEPT_SECONDS:
            self._percent = self._ask()
            self._asked = time.monotonic()
        return self._percent

    def evicted(self) -> int | None:
        """Keys that the server has thrown away to make room since it was started; None where it does not tell.

        Raises:
          redis.ConnectionError, redis.TimeoutError: the server is away.
        """
        found = self._facts("stats").get("evicted_keys")
        return found if isinstance(found, int) else None

    def _ask(self) -> int | None:
        facts = self._facts("memory")
        used, most = facts.get("used_memory"), facts.get("maxmemory")
        if not isinstance(used, int) or not isinstance(most, int):
            return None
        return used * 100 // most if most else 0

    def _facts(self, section: str) -> Mapping[str, Any]:
        """What the server tells of itself, nothing where it may not be asked."""
        try:
            return self._client.info(section)
        except redis.ResponseError as error:
            if not self._refused:
                self._logger.info(
                    "the server does not tell how full it is; it refuses sends once it is full: %s", error
                )
            self._refused = True
            return {}
