"""What embedded servers that speak HTTP have in common."""

from __future__ import annotations

import http.client
import signal
from abc import abstractmethod
from pathlib import Path

from .embedded_process import EmbeddedProcess
from .embedded_server import EmbeddedServer
from .free_port import free_port

#: Seconds that a request to a server of this machine may take.
TIMEOUT_SECONDS = 5.0


class EmbeddedHttpServer(EmbeddedServer):
    """A server that answers HTTP on a free port of the loopback address, with a configuration that it is given.

    Parameters:
      directory: where its data, configuration and log are; made if it is not there.
      name: what it is called there and in errors.
      configuration: the text of its configuration file, or the path of one, which is used where it is: names of files
        in it are relative to its folder.
    """

    def __init__(self, directory: Path, name: str, configuration: str | Path) -> None:
        directory = directory.absolute()
        super().__init__(directory, EmbeddedProcess(directory, name, stop_signal=signal.SIGTERM))
        self._configuration = configuration
        self._file = directory / f"{name}.yml"
        self._port = free_port()

    @property
    def address(self) -> str:
        """Its host and port, as configurations want them."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.address}"

    def start(self) -> None:
        """Start the server and wait until it is ready.

        Raises:
          ConfigurationError: its program is not installed, its configuration is wrong, or it did not start.
        """
        command = self._command()
        self.directory.mkdir(parents=True, exist_ok=True)
        self._process.start([*command, f"--config.file={self._configured()}"])
        self._process.wait_until(self._ready)

    @abstractmethod
    def _command(self) -> list[str]:
        """The program and its arguments, but for the configuration file."""

    def _ready(self) -> bool:
        return self._get("/-/ready") is not None

    def _configured(self) -> Path:
        if isinstance(self._configuration, Path):
            return self._configuration.absolute()
        self._file.write_text(self._configuration)
        return self._file

    def _get(self, path: str) -> str | None:
        """What it answers, None while it does not or says that it is not ready."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.read().decode() if answer.status == http.HTTPStatus.OK else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
