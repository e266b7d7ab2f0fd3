"""What embedded servers have in common: a directory, a process, an end."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from .embedded_files import remove_outside
from .embedded_process import EmbeddedProcess


class EmbeddedServer(ABC):
    """A server whose data is in one directory and which lives no longer than this process.

    Its address stays the same when it is stopped and started again, so an outage can be played.

    Parameters:
      directory: where its data, configuration and log are.
      process: the server's process.
    """

    def __init__(self, directory: Path, process: EmbeddedProcess) -> None:
        self.directory = directory
        self._process = process
        self._sockets = directory / "sockets"

    @property
    def pid(self) -> int | None:
        """The server's process id, or None when it does not run."""
        return self._process.pid

    @abstractmethod
    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
          ConfigurationError: its program is missing, it did not start, or another one works on the directory.
        """

    def stop(self) -> None:
        """End the server in good order; its data is there at the next start (Redis: with the append-only file)."""
        self._process.stop()

    def kill(self) -> None:
        """End the server as a crash would."""
        self._process.kill()

    def restart(self) -> None:
        """Stop and start, with the same address and data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop for good; the data stays."""
        self.stop()
        remove_outside(self._sockets)

    def remove(self) -> None:
        """Stop for good and delete the data."""
        self.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
