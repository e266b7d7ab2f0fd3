"""What commands print: tables, one-line notes, JSON.

On a terminal tables have colours and fit its width; anywhere else they are plain lines of any length, for grep and awk.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text


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


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> RenderableType:
    """Rows under a heading, to be printed with ``console().print``."""
    cells = [[_cell(value) for value in row] for row in rows]
    return _table(columns, cells) if sys.stdout.isatty() else Text(_plain(columns, cells))


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
    """Print one line as it is, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def note(line: str) -> None:
    """Print one line for the person, not for the program that reads our output."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


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
    return " ".join(str(value).split())


def _plain(columns: Sequence[Column], rows: list[list[str]]) -> str:
    lines = [[column.name for column in columns], *rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column.number else cell.ljust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        ).rstrip()
        for line in lines
    )


def _table(columns: Sequence[Column], rows: list[list[str]]) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for index, column in enumerate(columns):
        widest = max([len(row[index]) for row in rows], default=0)
        drawn.add_column(
            column.name,
            justify="right" if column.number else "left",
            # A column that may not wrap is never made narrower: only what is flexible gives way.
            no_wrap=not column.flexible,
            min_width=None if column.flexible else max(widest, len(column.name)),
        )
    for row in rows:
        drawn.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in row))
    return drawn


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)
