"""Waiting for work without polling."""

from __future__ import annotations

import time

import redis

#: Seconds that the server lets one blocking read wait.
BLOCK = 5


class Wakeup:
    """One outstanding BLPOP on the wake tokens of some queues, on a connection of its own.

    The read stays open between calls of ``wait``: a worker that must look at a certain time (a
    delayed job is due) does so while it goes on blocking, because a server ends blocking reads up
    to a tenth of a second late.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._pool = client.connection_pool
        self._connection: redis.Connection | None = None
        self._keys: tuple[str, ...] = ()
        self._deadline = 0.0

    def wait(self, keys: tuple[str, ...], timeout: float) -> bool:
        """Block until a token arrives on one of `keys`, for `timeout` seconds at most.

        Returns:
          True when it is worth looking: a token came, or the read ended.

        Raises:
          redis.RedisError: the server is away.
        """
        if self._keys != keys:
            self.drop()
            self._block(keys)
        connection = self._connection
        assert connection is not None
        try:
            if not connection.can_read(timeout=max(timeout, 0)):
                if time.monotonic() > self._deadline:
                    raise redis.TimeoutError("the server does not answer a blocking read")
                return False
            token = connection.read_response()
        except (redis.RedisError, OSError):
            self.drop()
            raise
        self._keys = ()
        return token is not None

    def drop(self) -> None:
        """Give up the outstanding read; a token that it may have taken is made good by the next fetch."""
        if self._connection is not None:
            if self._keys:
                self._connection.disconnect()
            self._pool.release(self._connection)
        self._connection, self._keys = None, ()

    def _block(self, keys: tuple[str, ...]) -> None:
        if self._connection is None:
            self._connection = self._pool.get_connection()
        self._connection.send_command("BLPOP", *keys, BLOCK)
        self._keys = keys
        self._deadline = time.monotonic() + BLOCK + 2
