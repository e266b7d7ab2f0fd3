"""What commands print: tables, one-line notes, JSON.

On a terminal a long text in a table is cut to the width; anywhere else lines are as long as they are, for grep and awk.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

#: What stands between two columns.
GAP = "  "
#: Characters that a flexible column keeps on a narrow terminal.
FLEXIBLE_LEAST = 24


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    #: Align to the right.
    number: bool = False
    #: May be cut on a narrow terminal; what is not flexible is always whole.
    flexible: bool = False


def console() -> Console:
    """Standard output; never breaks a line that is not ours to break."""
    return Console(file=sys.stdout, highlight=False, markup=False, soft_wrap=True)


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> Text:
    """Rows under a heading, to be printed with ``console().print``."""
    heading = [column.name for column in columns]
    lines = [[_cell(value) for value in row] for row in rows]
    widths = [max(cell_len(line[index]) for line in [heading, *lines]) for index in range(len(columns))]
    if sys.stdout.isatty():
        widths = _fitting(columns, widths, console().width)
    drawn = Text(_line(columns, widths, heading))
    drawn.stylize("bold")
    for line in lines:
        drawn.append("\n" + _line(columns, widths, line))
    return drawn


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under a heading."""
    console().print(table(columns, rows))


def print_json(value: Any) -> None:
    """Print a value as JSON: objects become their fields, moments ISO 8601."""
    sys.stdout.write(json.dumps(value, default=_plain_value, indent=2, ensure_ascii=False) + "\n")


def print_json_line(value: Any) -> None:
    """Print a value as JSON on one line, at once."""
    sys.stdout.write(json.dumps(value, default=_plain_value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def say(line: str) -> None:
    """Print one line, at once."""
    sys.stdout.write(printable(line) + "\n")
    sys.stdout.flush()


def note(line: str) -> None:
    """Print one line for the person, not for the program that reads our output."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def printable(text: str) -> str:
    """Text that steers no terminal: errors hold what strangers' servers have answered."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text)


def moment(at: datetime | int | None, *, fine: bool = False) -> str:
    """A moment in local time.

    Parameters:
      at: the moment, or milliseconds since the epoch; 0 and None mean that there is none.
      fine: to the millisecond, without the date.
    """
    if not at:
        return "-"
    local = (at if isinstance(at, datetime) else datetime.fromtimestamp(at / 1000, UTC)).astimezone()
    return local.strftime("%H:%M:%S.%f")[:-3] if fine else local.strftime("%Y-%m-%d %H:%M:%S")


def duration(milliseconds: float | None) -> str:
    """A length of time as a person says it."""
    if milliseconds is None:
        return "-"
    seconds = milliseconds / 1000
    if seconds < 1:
        return f"{milliseconds:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, datetime):
        return moment(value)
    # One job, one line: errors may have several.
    return " ".join(printable(str(value)).split())


def _fitting(columns: Sequence[Column], widths: Sequence[int], available: int) -> list[int]:
    """The widths for a terminal: only what is flexible gives way, and keeps enough to be of use."""
    over = max(0, sum(widths) + len(GAP) * (len(widths) - 1) - available)
    return [
        max(min(width, FLEXIBLE_LEAST), width - over) if column.flexible else width
        for column, width in zip(columns, widths, strict=True)
    ]


def _line(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[str]) -> str:
    parts = []
    for column, width, cell in zip(columns, widths, cells, strict=True):
        shown = cell if cell_len(cell) <= width else set_cell_size(cell, width - 1) + "…"
        blank = " " * (width - cell_len(shown))
        parts.append(blank + shown if column.number else shown + blank)
    return GAP.join(parts).rstrip()


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)
