"""Waiting for work without polling."""

from __future__ import annotations

import time
from collections.abc import Collection

import redis

#: Seconds that the server lets one blocking read wait.
BLOCK = 5
#: Ms after which what ends a read is forgotten, should this process die before it reads it.
NUDGE_MS = 60_000


class Wakeup:
    """One outstanding BLPOP on the wake tokens of some queues, on a connection of its own.

    The read stays open between calls of ``wait``: a worker that must look at a certain time (a
    delayed job is due) does so while it goes on blocking, because a server ends blocking reads up
    to a tenth of a second late.

    A token is for one worker. So the read is not just cut off, with what it may have taken: something is pushed
    that ends it, and a token of which no use was made goes back, for another worker.

    Parameters:
      client: of the server.
      nudge: a key of this process alone, with which it ends its own read.
    """

    def __init__(self, client: redis.Redis, nudge: str) -> None:
        self._client = client
        self._pool = client.connection_pool
        self._nudge = nudge
        self._connection: redis.Connection | None = None
        self._keys: tuple[str, ...] = ()
        self._deadline = 0.0
        self._token = ""

    @property
    def holds(self) -> bool:
        """Whether a token is here after which nobody has looked, or may come at any moment."""
        return bool(self._keys or self._token)

    def wait(self, keys: tuple[str, ...], timeout: float) -> bool:
        """Block until a token arrives on one of `keys`, for `timeout` seconds at most.

        Returns:
          True when it is worth looking: a token came.

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
            self._take(connection)
        except (redis.RedisError, OSError):
            self._cut_off()
            raise
        return bool(self._token)

    def look(self, keys: Collection[str]) -> None:
        """A fetch is about to look at the queues of `keys`; a token of another queue goes back.

        Raises:
          redis.RedisError: the server is away.
        """
        if self._token and self._token not in keys:
            self._give_back()

    def looked(self) -> None:
        """The fetch was answered: use was made of the token."""
        self._token = ""

    def drop(self) -> None:
        """End the outstanding read and give back the token, if there is one."""
        connection = self._connection
        try:
            if connection is not None and self._keys:
                self._end_read(connection)
            if self._token:
                self._give_back()
        except (redis.RedisError, OSError):
            # What it may have taken is made good by the next heartbeat of a worker of the queue.
            self._cut_off()
        if self._connection is not None:
            self._pool.release(self._connection)
            self._connection = None

    def _end_read(self, connection: redis.Connection) -> None:
        with self._client.pipeline(transaction=True) as nudge:
            nudge.rpush(self._nudge, 1)
            nudge.pexpire(self._nudge, NUDGE_MS)
            nudge.execute()
        if self._take(connection) != self._nudge:
            self._client.delete(self._nudge)

    def _take(self, connection: redis.Connection) -> str:
        """Read the answer; returns the key that it came from, nothing where the read ended by itself."""
        answer = connection.read_response()
        self._keys = ()
        key: str = answer[0].decode() if answer else ""
        self._token = "" if key == self._nudge else key
        return key

    def _give_back(self) -> None:
        self._client.rpush(self._token, 1)
        self._token = ""

    def _cut_off(self) -> None:
        if self._connection is not None:
            self._connection.disconnect()
        self._keys, self._token = (), ""

    def _block(self, keys: tuple[str, ...]) -> None:
        if self._connection is None:
            self._connection = self._pool.get_connection()
        self._connection.send_command("BLPOP", *keys, self._nudge, BLOCK)
        self._keys = keys
        self._deadline = time.monotonic() + BLOCK + 2
