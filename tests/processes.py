"""Real commands in real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from wait import eventually

from jobfleet.broker.settings import Settings

#: Where the commands of the environment are in which the tests run.
COMMANDS = Path(sys.executable).parent


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a command ended."""

    status: int
    output: str
    errors: str


class Process:
    """A command that runs while the test goes on; ended, at the latest, when the block ends.

    It has a process group of its own, so nothing that it starts outlives the test.

    Parameters:
      command: a program of the environment (``jobfleet``, ``dramatiq``, ``python``) and its arguments.
      environment: all that it sees of the environment, such as the fixture ``fleet_environment``.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], *, cwd: Path | None = None) -> None:
        self.command = list(command)
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 (closed in ``end``)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in ``end``)
        self._process = subprocess.Popen(
            [resolve(self.command[0]), *self.command[1:]],
            env=dict(environment),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._errors,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The process id of the command itself."""
        return self._process.pid

    @property
    def output(self) -> str:
        """Everything it has printed so far."""
        return _content(self._output)

    @property
    def errors(self) -> str:
        """Everything it has printed to standard error so far."""
        return _content(self._errors)

    @property
    def running(self) -> bool:
        """Whether the command itself still runs."""
        return self._process.poll() is None

    def says(self, text: str, timeout: float = 30.0) -> None:
        """Wait until the text stands in what it has printed, on either stream."""

        def said() -> bool:
            assert text in self.output + self.errors, f"{text!r} is not in:\n{self.output}\n{self.errors}"
            return True

        eventually(said, timeout)

    def interrupt(self) -> None:
        """Send SIGINT to the command, as Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)

    def terminate(self) -> None:
        """Send SIGTERM to the command."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to the command alone, not to what it started."""
        self._process.kill()

    def wait(self, timeout: float = 60.0) -> Outcome:
        """Wait for its end.

        Raises:
          AssertionError: it did not end in time; with what it printed.
        """
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.command} runs on:\n{self.output}\n{self.errors}") from None
        return Outcome(status=status, output=self.output, errors=self.errors)

    def end(self) -> None:
        """Kill whatever is left of it."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._output.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


def run_command(
    command: Sequence[str], environment: Mapping[str, str], *, timeout: float = 60.0, cwd: Path | None = None
) -> Outcome:
    """Run a command to its end."""
    with Process(command, environment, cwd=cwd) as process:
        return process.wait(timeout)


def bare_environment() -> dict[str, str]:
    """This process's environment without any of jobfleet's settings."""
    return {name: value for name, value in os.environ.items() if name.upper() not in setting_names()}


def setting_names() -> set[str]:
    """Every environment variable that ``settings()`` reads."""
    return {str(field.validation_alias or name).upper() for name, field in Settings.model_fields.items()}


def resolve(program: str) -> str:
    """The program's path: of the environment in which the tests run, else of the system."""
    if program == "python":
        return sys.executable
    found = COMMANDS / program
    return str(found) if found.exists() else program


def _content(file: IO[bytes]) -> str:
    # Reads by position: the file's own position is the command's, who is still writing there.
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), size, 0).decode(errors="replace")
