"""Sends a request to one address that was checked, and to no other."""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .deadline import Deadline, watch

#: Hosts to which one thread keeps a connection open.
HOSTS_MAX = 32


class PinnedAdapter(HTTPAdapter):
    """A transport that connects to an address while it names the host: in ``Host``, in SNI, in the certificate.

    A connection is used again only for the same address, port and host, so it leads where a check allowed. It
    belongs to one thread. There are no redirects, cookies, proxies or ``.netrc`` at this level of requests.
    """

    def __init__(self) -> None:
        super().__init__(pool_connections=HOSTS_MAX, pool_maxsize=1)
        self.poolmanager.pool_classes_by_scheme = {"http": _WatchedPool, "https": _WatchedTlsPool}
        self._address = ""

    def send_to(
        self, address: str, request: requests.PreparedRequest, deadline: Deadline, ca: str | None
    ) -> requests.Response:
        """Send a request; the body of the answer is not read yet.

        Parameters:
          address: where to connect.
          deadline: of the whole request.
          ca: a file with the certificates of a private authority, or None for the public ones.

        Raises:
          requests.RequestException: the connection failed.
        """
        self._address = address
        return self.send(request, stream=True, timeout=deadline.remaining, verify=ca or True, proxies={})

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: bool | str, cert: str | tuple[str, str] | None = None
    ) -> Any:
        """Where to connect, and as whom to greet; requests calls it for each request."""
        place, options = super().build_connection_pool_key_attributes(request, verify, cert)
        tls = {"server_hostname": place["host"]} if place["scheme"] == "https" else {}
        return {**place, "host": self._address}, {**options, **tls}


class _Watched(HTTPConnection):
    """A connection whose every step has the deadline's time and no more."""

    def connect(self) -> None:
        watch(self)
        super().connect()

    def request(self, *args: Any, **kwargs: Any) -> None:
        watch(self)
        super().request(*args, **kwargs)


class _WatchedTls(_Watched, HTTPSConnection):
    pass


class _WatchedPool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _WatchedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls
