"""A network between workers and Redis that fails as networks do: it cuts, it hangs, it swallows answers."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

#: Closing a socket with this option resets the connection instead of ending it in good order.
RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Passes bytes between a port of the loopback address and a server's unix socket.

    Parameters:
      target: path of the server's socket.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._requests, self._replies = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """The address that stands for the server's; it stays the same."""
        return f"redis://127.0.0.1:{self.port}"

    def connect(self) -> None:
        """Let connections come, and bytes go both ways."""
        self._requests.set()
        self._replies.set()
        if self._listener is None:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self.port))
            listener.listen(64)
            self.port = listener.getsockname()[1]
            self._listener = listener
            self._start(self._accept, listener)

    def point_to(self, target: str) -> None:
        """Let new connections go to another server; those that are open stay with theirs."""
        self._target = target

    def hold_requests(self) -> None:
        """What is sent from now on does not arrive; connections stay open."""
        self._requests.clear()

    def hold_replies(self) -> None:
        """What is sent arrives and is carried out; nobody hears of it. Connections stay open."""
        self._replies.clear()

    def hang(self) -> None:
        """Pass nothing in either direction; connections stay open and new ones are accepted."""
        self.hold_requests()
        self.hold_replies()

    def cut(self) -> None:
        """Reset every connection, with what it has not delivered, and refuse new ones."""
        with self._lock:
            listener, self._listener = self._listener, None
            broken, self._open = self._open, set()
        for one in [listener, *broken]:
            if one is not None:
                with suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        if listener is not None:
            listener.close()
        # Whoever waits at a gate finds its connection closed behind it.
        self._requests.set()
        self._replies.set()

    def close(self) -> None:
        """Cut for good."""
        self.cut()
        for thread in self._threads:
            thread.join(timeout=10)

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self._target)
            except OSError:
                # The server is away: whoever connects here finds out as it would there.
                client.close()
                server.close()
                continue
            with self._lock:
                self._open |= {client, server}
            self._start(self._pass, client, server, self._requests)
            self._start(self._pass, server, client, self._replies)

    def _pass(self, source: socket.socket, target: socket.socket, gate: threading.Event) -> None:
        try:
            while data := source.recv(65_536):
                gate.wait()
                with self._lock:
                    if target not in self._open:
                        return
                target.sendall(data)
        except OSError:
            return
        finally:
            self._end(source, target)

    def _end(self, source: socket.socket, target: socket.socket) -> None:
        """One direction is over: so is the other; the second thread that comes here closes both."""
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open -= {source, target}
        source.close()
