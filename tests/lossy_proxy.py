"""A proxy before Redis that loses replies: the command was executed, the client never hears of it.

1. It passes commands on one by one and reads the whole reply of each.
2. For a script it may then close the client's connection instead of handing the reply over, as a
   network does that fails at the worst moment; which ones is decided by a seed.
3. The client connects again and repeats the command, so the script runs a second time.
4. It counts, by the scripts' names, how many were seen to run twice.
"""

from __future__ import annotations

import hashlib
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from random import Random
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import unquote, urlsplit

from jobfleet.broker.script_source import source

#: Replies of one command that are lost in a row; the clients repeat three times.
LOST_IN_A_ROW = 2


def script_names() -> list[str]:
    """Every script that clients call, that is every file that answers something to KEYS[1]."""
    folder = files("jobfleet.broker") / "lua"
    texts = {path.name.removesuffix(".lua"): path.read_text() for path in folder.iterdir()}
    return sorted(name for name, text in texts.items() if "-- KEYS[1]" in text)


class LossyProxy:
    """A listener on a loopback port that passes on to `url`, the address of a server on a unix socket."""

    def __init__(self, url: str) -> None:
        self._upstream = unquote(urlsplit(url).path)
        self._names = {_digest(source(name).encode()): name for name in script_names()}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._random = Random(0)
        self._chance = 0.0
        self._planned: tuple[str, Callable[[], None]] | None = None
        self._lost: tuple[list[bytes], int] = ([], 0)
        #: Script -> how many of its calls were executed a second time after their reply was lost.
        self.twice: Counter[str] = Counter()
        #: The replies that were lost, as they came.
        self.lost_replies: list[bytes] = []

    @property
    def url(self) -> str:
        """The proxy's address."""
        return f"redis://127.0.0.1:{self._listener.getsockname()[1]}"

    def lose(self, chance: float, seed: int) -> None:
        """From now on lose this share of the scripts' replies."""
        self._random, self._chance = Random(seed), chance

    def lose_next(self, name: str, then: Callable[[], None]) -> None:
        """Lose the next reply of one script; `then` runs between its execution and the repeat."""
        self._planned = (name, then)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in (self._listener, *self._open):
            with connection:
                _hang_up(connection)
        for thread in self._threads:
            thread.join(timeout=10)

    def _start(self, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.add(client)
            self._start(lambda client=client: self._serve(client))  # type: ignore[misc]

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, client.makefile("rb") as commands:
            server.connect(self._upstream)
            with server.makefile("rb") as replies:
                try:
                    while raw := _read(commands):
                        server.sendall(raw)
                        reply = _read(replies)
                        if self._is_lost(raw, reply):
                            break
                        client.sendall(reply)
                except OSError:
                    pass  # the client is gone
            _hang_up(client)
        self._open.discard(client)

    def _is_lost(self, raw: bytes, reply: bytes) -> bool:
        """Decide on one reply, and count a script that was executed again."""
        words = raw.split(b"\r\n")
        name = self._name(words)
        if name is None or reply.startswith(b"-"):
            return False
        # An EVALSHA and an EVAL of the same script with the same arguments are the same call.
        call, (before, times) = words[5:], self._lost
        again = call == before
        if again:
            self.twice[name] += 1
        if self._planned and self._planned[0] == name:
            then, self._planned = self._planned[1], None
            then()
        elif (again and times == LOST_IN_A_ROW) or self._random.random() >= self._chance:
            self._lost = ([], 0)
            return False
        self._lost = (call, times + 1 if again else 1)
        self.lost_replies.append(reply)
        return True

    def _name(self, words: list[bytes]) -> str | None:
        if len(words) < 5 or words[2] not in (b"EVALSHA", b"EVAL"):
            return None
        script = words[4]
        return self._names.get(script.decode() if words[2] == b"EVALSHA" else _digest(script))


def _digest(script: bytes) -> str:
    return hashlib.sha1(script, usedforsecurity=False).hexdigest()


def _read(stream: BinaryIO) -> bytes:
    """One command or reply of the protocol, whole; empty at the end of the stream."""
    head = stream.readline()
    if head[:1] == b"$" and head != b"$-1\r\n":
        return head + stream.read(int(head[1:]) + 2)
    if head[:1] == b"*" and head != b"*-1\r\n":
        return head + b"".join(_read(stream) for _ in range(int(head[1:])))
    return head


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):  # it may be closed already
        connection.shutdown(socket.SHUT_RDWR)
