"""Runs the Lua scripts.

A server that has forgotten a script (restart, failover, SCRIPT FLUSH) is sent it again, and a call whose reply
was lost is made again: scripts change nothing the second time. A server that has become a replica counts as one
that is away: its connections are closed, so that the next try finds the primary.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import time
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

import hiredis
import msgpack
import redis

from .commands import Commands
from .connection import REPLICA, is_replica
from .script_source import source

#: Calls that are made again after a lost connection or reply, and seconds before the first of them.
REPEATS = 3
PAUSE_SECONDS = 0.05

#: How errors begin that say how the server is, whatever script met them.
_OF_THE_SERVER = re.compile(r"(?:^|-)(?:MISCONF|NOREPLICAS|READONLY|MASTERDOWN|OOM|BUSY|LOADING|CLUSTERDOWN)\b")


def pack(value: Any) -> bytes:
    """Encode for Lua's cmsgpack, which knows the old string type only."""
    packed: bytes = msgpack.packb(value, use_bin_type=False, unicode_errors="surrogateescape")
    return packed


def unpack(data: bytes) -> Any:
    """Decode what Lua's cmsgpack packed; bytes that are not UTF-8 survive as surrogate escapes."""
    return msgpack.unpackb(data, raw=False, unicode_errors="surrogateescape", strict_map_key=False)


def has_failed(error: redis.RedisError) -> bool:
    """Whether a script has failed at what it found (a key was damaged, say) or was given, and would fail again.

    Otherwise it is the server that cannot serve now: it is away, busy, full, cannot save or is a replica.
    """
    text = str(error)
    return type(error) is redis.ResponseError and "user_script" in text and not _OF_THE_SERVER.search(text)


class Scripts:
    """The scripts of one client, each called by name with the namespace as its only key.

    Connections come from the client's pool once and are kept here between calls: taking and giving
    back one for each command, with redis-py's bookkeeping around it, is 60 of the 150 microseconds
    of a single send (measured with cProfile, Python 3.11, redis-py 8.1).
    """

    def __init__(self, client: Commands, prefix: str) -> None:
        self._pool = client.connection_pool
        #: What all keys of the namespace begin with.
        self.prefix = prefix
        self._digests: dict[str, str] = {}
        self._idle: deque[Any] = deque()
        self._pid = os.getpid()

    def call(self, name: str, *args: bytes | str | int) -> Any:
        """Run a script.

        Raises:
          redis.RedisError: the server is away, also after REPEATS repeats, or refused.
        """
        try:
            return self._execute("EVALSHA", self._digest(name), 1, self.prefix, *args)
        except redis.exceptions.NoScriptError:
            return self._execute("EVAL", source(name), 1, self.prefix, *args)

    def call_once(self, name: str, *args: bytes | str | int) -> Any:
        """Run a script that remembers its answer under the id of the request, made here and sent first.

        However often the call is delivered, within a minute it has one effect and one answer (see ``answers.lua``).

        Raises:
          redis.RedisError: as ``call``.
        """
        return self.call(name, uuid.uuid4().hex, *args)

    def start(self, name: str, *args: bytes | str | int) -> Callable[[], Any]:
        """Send a call and let the caller do other work while the server runs it.

        Returns:
          What gives the answer, as ``call`` would; to be called once, soon, and in the same thread.
        """
        connection = self._take()
        try:
            _send(connection, ("EVALSHA", self._digest(name), 1, self.prefix, *args))
        except (redis.RedisError, OSError):
            self._give_back(connection, answered=False)
            return lambda: self.call(name, *args)

        def finish() -> Any:
            try:
                return self._read(connection)
            except (redis.exceptions.NoScriptError, redis.ConnectionError, redis.TimeoutError, OSError):
                return self.call(name, *args)

        return finish

    def _digest(self, name: str) -> str:
        digest = self._digests.get(name)
        if digest is None:
            digest = self._digests[name] = hashlib.sha1(source(name).encode(), usedforsecurity=False).hexdigest()
        return digest

    def _execute(self, *command: Any) -> Any:
        attempt = 0
        while True:
            try:
                return self._execute_once(command)
            except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
                if attempt == REPEATS:
                    raise error if isinstance(error, redis.RedisError) else redis.ConnectionError(str(error)) from error
            time.sleep(PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1))
            attempt += 1

    def _execute_once(self, command: tuple[Any, ...]) -> Any:
        connection = self._take()
        try:
            _send(connection, command)
        except BaseException:
            self._give_back(connection, answered=False)
            raise
        return self._read(connection)

    def _read(self, connection: Any) -> Any:
        answered = False
        try:
            answer = connection.read_response()
            answered = True
            return answer
        except redis.ResponseError as error:
            if is_replica(error):
                self._pool.disconnect(inuse_connections=False)
                raise redis.ConnectionError(REPLICA) from None
            answered = True
            raise
        finally:
            self._give_back(connection, answered=answered)

    def _give_back(self, connection: Any, *, answered: bool) -> None:
        if not answered:
            # Also after an interrupt (a time limit, say) between command and reply: the reply must
            # not be taken for that of the next command. The others may be stale as well; each
            # connects again when it is used.
            for stale in (connection, *self._idle):
                stale.disconnect()
        self._idle.append(connection)

    def _take(self) -> Any:
        if self._pid != os.getpid():
            # A forked child must not speak on its parent's connections.
            self._idle, self._pid = deque(), os.getpid()
        try:
            return self._idle.pop()
        except IndexError:
            return self._pool.get_connection()

    def close(self) -> None:
        """Give the connections back to the pool."""
        while self._idle:
            self._pool.release(self._idle.pop())


def _send(connection: Any, command: tuple[Any, ...]) -> None:
    """Send a command of text, bytes and numbers.

    redis-py looks at the type of each argument before it hands them to this function: 8 of the 180 microseconds of
    a single send.
    """
    connection.send_packed_command([hiredis.pack_command(command)])
