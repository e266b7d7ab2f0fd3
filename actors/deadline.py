"""A limit for everything that one request does together."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from contextvars import ContextVar
from types import TracebackType
from typing import Protocol, Self


class HasSocket(Protocol):
    """A connection as ``http.client`` makes them."""

    @property
    def sock(self) -> socket.socket | None:
        """The socket, once connected."""


class Deadline:
    """Cuts a connection when its time is over.

    A socket's own timeout begins anew with every byte, so a server that sends one byte each second could hold a
    thread for ever. Here a timer shuts the socket down, which ends a read that waits.

    Parameters:
      seconds: until the end, counted from the construction.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._connection: HasSocket | None = None
        #: Whether the time ran out.
        self.passed = False

    def __enter__(self) -> Self:
        self._token = _current.set(self)
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._connection = None
        _current.reset(self._token)

    @property
    def remaining(self) -> float:
        """Seconds that are left; a little when there are none, as a timeout of 0 means something else."""
        return max(self._end - time.monotonic(), 0.001)

    def watch(self, connection: HasSocket) -> None:
        """Cut this connection at the end."""
        self._connection = connection
        if self.passed:
            self._cut()

    def _cut(self) -> None:
        self.passed = True
        connection = self._connection
        if connection is not None and connection.sock is not None:
            # SSLSocket.shutdown would drop the encryption under the reader; the socket's own wakes it.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


_current: ContextVar[Deadline | None] = ContextVar("jobfleet_deadline", default=None)


def watch(connection: HasSocket) -> None:
    """Let the deadline under which this code runs cut the connection, if there is one."""
    deadline = _current.get()
    if deadline is not None:
        deadline.watch(connection)
