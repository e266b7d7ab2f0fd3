"""A client of the monitor's HTTP, with a token or without."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import requests


class Client:
    """Asks one server over one connection while the block runs.

    Parameters:
      url: where the server listens.
      token: sent as bearer's; none if empty.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self._url = url
        self._session = requests.Session()
        # A proxy that the developer's environment names is not for servers of this machine.
        self._session.trust_env = False
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request."""
        return self._session.request(method, self._url + path, timeout=30, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        """Look."""
        return self.ask("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        """Change."""
        return self.ask("POST", path, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()
