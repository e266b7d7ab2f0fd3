"""One line of ``jobfleet check``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    #: As it should be.
    OK = "ok"
    #: The fleet runs, and something will go wrong some day.
    WARNING = "warning"
    #: The fleet cannot run like this.
    ERROR = "error"


@dataclass(frozen=True)
class Result:
    """What was found of one thing."""

    level: Level
    #: What was looked at, in a word or two.
    subject: str
    text: str
    #: What to do about it; empty when all is well.
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.level:<9}{self.subject:<13}{self.text.rstrip('.')}" + (f": {self.advice}" if self.advice else "")


def ok(subject: str, text: str) -> Result:
    """All is well."""
    return Result(Level.OK, subject, text)


def warning(subject: str, text: str, advice: str) -> Result:
    """It works, but."""
    return Result(Level.WARNING, subject, text, advice)


def error(subject: str, text: str, advice: str) -> Result:
    """It does not work."""
    return Result(Level.ERROR, subject, text, advice)
