"""A real Alertmanager of our own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .embedded_http_server import EmbeddedHttpServer
from .embedded_program import program


class EmbeddedAlertmanager(EmbeddedHttpServer):
    """An Alertmanager, alone and not in a cluster, which lives no longer than this process.

    The program is the one on PATH (Debian: ``apt-get install prometheus-alertmanager``). Its address stays the same when
    it is stopped and started again; silences and what it has notified of are kept.

    Parameters:
      directory: where its data, configuration and log are; made if it is not there.
      configuration: the text of ``alertmanager.yml``, or the path of one.
      flags: more of the command line's.
    """

    def __init__(self, directory: Path, configuration: str | Path, *, flags: Sequence[str] = ()) -> None:
        super().__init__(directory, "alertmanager", configuration)
        self._flags = flags

    def _command(self) -> list[str]:
        return [
            alertmanager_program(),
            f"--storage.path={self.directory / 'data'}",
            f"--web.listen-address={self.address}",
            # Empty: it looks for no others.
            "--cluster.listen-address=",
            "--log.level=warn",
            *self._flags,
        ]


def alertmanager_program() -> str:
    """The server program; Debian has given it a longer name than its authors.

    Raises:
      ConfigurationError: it is not installed.
    """
    return program(("prometheus-alertmanager", "alertmanager"), "prometheus-alertmanager")
