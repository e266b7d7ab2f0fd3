"""The driver's handle on a contender's application."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How long an application took for what it was told."""

    #: When it began, ns since the epoch.
    began_ns: int = 0
    seconds: float = 0.0
    #: CPU seconds of the application itself.
    cpu: float = 0.0
    result: Any = None


class Sender:
    """A contender's application, running.

    Parameters:
      command: its program.
      environment: what it gets to see.
      log: where it writes its complaints.
    """

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("a") as complaints:
            self._process = subprocess.Popen(
                command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints
            )
        self._read()

    def tell(self, name: str, *args: object) -> Answer:
        """Have it do one thing, and wait until it has.

        Raises:
          RuntimeError: it has died.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"name": name, "args": args}) + "\n")
        self._process.stdin.flush()
        return Answer(**self._read())

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the application has ended:\n{self._log.read_text()[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return {} if "ready" in answer else answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
