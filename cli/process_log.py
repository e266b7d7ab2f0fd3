"""What a command that is a process tells: lines for a person on a terminal, JSON for anything else that reads them."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import typer

from ..broker.settings import settings
from ..middleware.json_log import JsonLog
from ..middleware.logs import STDERR, resolved_format
from .tables import say


class LogFormat(StrEnum):
    """How lines look."""

    #: Text on a terminal, JSON elsewhere.
    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


LogFormatOption = Annotated[
    LogFormat | None,
    typer.Option("--log-format", help="How lines look: auto is text on a terminal and JSON elsewhere."),
]

#: The variable by which children learn what was chosen for all.
VARIABLE = "JOBFLEET_LOG_FORMAT"


class ProcessLog:
    """The lines of one command, and of its children.

    Parameters:
      chosen: what the command line says; the setting if None.
      stream: number of the file that is looked at: whoever reads that reads all.

    Raises:
      ConfigurationError: a setting is wrong.
    """

    def __init__(self, chosen: LogFormat | None, stream: int = STDERR) -> None:
        if chosen is not None:
            os.environ[VARIABLE] = chosen
            settings.cache_clear()
        #: ``json`` or ``text``.
        self.format = resolved_format(stream)

    @property
    def environment(self) -> Mapping[str, str]:
        """What children see: they write into pipes, and could not tell who reads."""
        return {**os.environ, VARIABLE: self.format}

    def say(self, line: str, source: str = "jobfleet") -> None:
        """Print one line of our own, at once."""
        if self.format == "text":
            say(line)
            return
        record = logging.makeLogRecord({"name": source, "levelno": logging.INFO, "levelname": "INFO", "msg": line})
        _write(JsonLog().format(record))

    def say_for(self, name: str, line: str) -> None:
        """Print one line of a child, at once; JSON stays as it is.

        Parameters:
          name: what the child is called.
          line: what it wrote.
        """
        if self.format == "text":
            say(f"{name:<8}| {line}")
        elif _is_json(line):
            _write(line)
        elif line:
            self.say(line, name)


def _is_json(line: str) -> bool:
    try:
        return line.startswith("{") and isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
