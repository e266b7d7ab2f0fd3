"""The admin server's socket and its thread."""

from __future__ import annotations

import ipaddress
import socket
import threading
from types import TracebackType
from typing import Self

import uvicorn

from ...broker.errors import ConfigurationError
from ...broker.settings import settings
from .application import application
from .monitored import Monitored
from .tokens import Tokens

#: Where metrics are found when nothing else is said.
DEFAULT_PORT = 9465
#: Seconds that open requests get when the monitor ends.
STOP_SECONDS = 5


class AdminServer:
    """Answers HTTP while the block runs.

    Parameters:
      fleet: what it shows and changes.
      tokens: who may do so.
      host: the address to listen at.
      port: 0 for any that is free; None for DEFAULT_PORT, or any when another process has that.

    Raises:
      ConfigurationError: the port is taken, the address is none of this machine's, or others could reach it although
        no token is set.
    """

    def __init__(self, fleet: Monitored, tokens: Tokens, host: str, port: int | None) -> None:
        if not tokens.admin and not _is_loopback(host):
            raise ConfigurationError(
                f"the monitor may listen at {host}, which others can reach, only with JOBFLEET_ADMIN_TOKEN set"
            )
        self._socket = _listen(host, port)
        config = uvicorn.Config(
            application(fleet, tokens),
            log_config=None,
            access_log=settings().access_log,
            server_header=False,
            # Anybody may claim to be a proxy; audit rows have what they claim beside where they come from.
            proxy_headers=False,
            lifespan="off",
            ws="none",
            http="h11",
            loop="asyncio",
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="jobfleet-admin", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port, *_ = self._socket.getsockname()
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=2 * STOP_SECONDS)
        self._socket.close()

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])


def _listen(host: str, port: int | None) -> socket.socket:
    if port is None:
        try:
            return _bound(host, DEFAULT_PORT)
        except ConfigurationError:
            return _bound(host, 0)
    return _bound(host, port)


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=128)
    except OSError as error:
        raise ConfigurationError(
            f"the monitor cannot listen at {host}, port {port}: {error.strerror or error}; "
            "choose another with --port or JOBFLEET_MONITOR_PORT, and --host or JOBFLEET_MONITOR_HOST"
        ) from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
