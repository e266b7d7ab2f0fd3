"""A real Prometheus of our own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from .embedded_http_server import EmbeddedHttpServer
from .embedded_program import program

#: Alerts are sent again each second, and nothing that was pending before a start is waited for after it: for whoever
#: wants to see the whole loop in seconds.
PROMPT = (
    "--rules.alert.resend-delay=1s",
    "--rules.alert.for-grace-period=0s",
    "--rules.alert.for-outage-tolerance=0s",
)

#: Seconds between two looks at how many Alertmanagers it has found.
DISCOVERY_LOOK_SECONDS = 0.2


class EmbeddedPrometheus(EmbeddedHttpServer):
    """A Prometheus whose data is in one directory and which lives no longer than this process.

    The program is the one on PATH (Debian: ``apt-get install prometheus``). Its address stays the same when it is
    stopped and started again. It scrapes for the first time after some five seconds, in which it finds its targets.

    Parameters:
      directory: where its data, configuration and log are; made if it is not there.
      configuration: the text of ``prometheus.yml``, or the path of one.
      alertmanagers: Alertmanagers that the configuration names. It counts as started once it knows so many: alerts
        that fire before that are not sent until they are due again.
      flags: more of the command line's, such as PROMPT.
    """

    def __init__(
        self, directory: Path, configuration: str | Path, *, alertmanagers: int = 0, flags: Sequence[str] = ()
    ) -> None:
        super().__init__(directory, "prometheus", configuration)
        self._alertmanagers = alertmanagers
        self._flags = flags

    def _command(self) -> list[str]:
        return [
            prometheus_program(),
            f"--storage.tsdb.path={self.directory / 'data'}",
            f"--web.listen-address={self.address}",
            "--log.level=warn",
            *self._flags,
        ]

    def _ready(self) -> bool:
        if not super()._ready():
            return False
        if self._discovered() < self._alertmanagers:
            # All its own metrics are a long page, not to be asked for a hundred times a second.
            time.sleep(DISCOVERY_LOOK_SECONDS)
            return False
        return True

    def _discovered(self) -> float:
        if not self._alertmanagers:
            return 0.0
        lines = (self._get("/metrics") or "").splitlines()
        name = "prometheus_notifications_alertmanagers_discovered "
        return next((float(line.removeprefix(name)) for line in lines if line.startswith(name)), 0.0)


def prometheus_program() -> str:
    """The server program.

    Raises:
      ConfigurationError: it is not installed.
    """
    return program(("prometheus",), "prometheus")
