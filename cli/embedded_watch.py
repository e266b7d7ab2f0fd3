"""Prometheus and Alertmanager beside a fleet on this machine, for ``jobfleet up --watch``."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from ..broker.errors import ConfigurationError
from ..broker.settings import settings
from .embedded_alertmanager import EmbeddedAlertmanager, alertmanager_program
from .embedded_prometheus import EmbeddedPrometheus, prometheus_program
from .free_port import free_port
from .watch_configuration import MONITOR, alertmanager_configuration, prometheus_configuration

#: Addresses at which a monitor listens for everybody; it is asked at the loopback one.
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


class EmbeddedWatch:
    """Both servers with the shipped rules and routes: they run, and scrape the fleet's monitor, while the block runs.

    1. The monitor must be started with ``environment``: that fixes its port, the one that is set where one is, and
       the token with which our Alertmanager posts to it, a new one each time.
    2. Prometheus scrapes the monitor and tells Alertmanager what fires.
    3. Alertmanager posts that to the monitor's ``/alerts``; nobody else is told.
    4. Where no setting names an admin's token, the monitor gets one, a new one each time, which whoever may read the home
       finds in ``admin_token_file``: what fired could not be read otherwise.

    Parameters:
      home: the fleet's home, where the servers' data are.

    Raises:
      ConfigurationError: a program is not installed; says what to install.
    """

    def __init__(self, home: Path) -> None:
        refuse_missing_programs()
        host = settings().monitor_host
        port = _port(host, settings().monitor_port)
        address = f"{EVERYWHERE.get(host, host)}:{port}"
        self._token = secrets.token_urlsafe(24)
        self._token_file = (home / "alertmanager" / "token").absolute()
        #: What the monitor must see of the environment.
        self.environment = {"JOBFLEET_MONITOR_PORT": str(port), "JOBFLEET_ALERTS_TOKEN": self._token}
        #: Where the admin's token is kept while the block runs; None where JOBFLEET_ADMIN_TOKEN is set.
        self.admin_token_file: Path | None = None
        if settings().jobfleet_admin_token is None:
            self.admin_token_file = (home / "admin-token").absolute()
            self.environment["JOBFLEET_ADMIN_TOKEN"] = secrets.token_urlsafe(24)
        #: Where the monitor answers.
        self.monitor_url = f"http://{address}"
        webhook = {
            "url": f"{self.monitor_url}/alerts",
            "http_config": {"authorization": {"credentials_file": str(self._token_file)}},
        }
        told = alertmanager_configuration({MONITOR: [webhook]})
        self.alertmanager = EmbeddedAlertmanager(home / "alertmanager", told)
        scraped = prometheus_configuration([address], [self.alertmanager.address])
        self.prometheus = EmbeddedPrometheus(home / "prometheus", scraped)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with self._stack:
            self._keep(self._token_file, self._token)
            if self.admin_token_file:
                self._keep(self.admin_token_file, self.environment["JOBFLEET_ADMIN_TOKEN"])
            self._stack.enter_context(self.alertmanager)
            self._stack.enter_context(self.prometheus)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _keep(self, file: Path, token: str) -> None:
        """Write a token for the eyes of this user, until the block ends."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(token)
        self._stack.callback(file.unlink, missing_ok=True)


def refuse_missing_programs() -> None:
    """Do nothing when both programs are installed.

    Raises:
      ConfigurationError: one is not, or both; says what to install.
    """
    looks = {"prometheus": prometheus_program, "prometheus-alertmanager": alertmanager_program}
    missing = [package for package, look in looks.items() if not _is_there(look)]
    if missing:
        raise ConfigurationError(
            f"{' and '.join(missing)} not installed: apt-get install {' '.join(missing)} (Debian, Ubuntu), "
            "or put what prometheus.io/download has on PATH, or leave out --watch"
        )


def _is_there(look: Callable[[], str]) -> bool:
    try:
        look()
    except ConfigurationError:
        return False
    return True


def _port(host: str, chosen: int | None) -> int:
    """The one that is set; else that at which a monitor is looked for, or any when that is taken."""
    # Put off, since the monitor's HTTP brings much along that no other command needs.
    from ..monitoring.admin.server import DEFAULT_PORT

    if chosen is None:
        with suppress(OSError):
            socket.create_server((host, DEFAULT_PORT)).close()
            return DEFAULT_PORT
    return chosen or free_port()
