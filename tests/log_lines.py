"""Log lines of processes, read back."""

from __future__ import annotations

import json
from typing import Any

Line = dict[str, Any]

#: What every line has.
ALWAYS = {"timestamp", "level", "logger", "message", "pid", "thread"}
#: What a line has that is logged while a job runs.
JOB = ("job_id", "tenant", "queue", "actor", "attempt", "trace_id")


def json_lines(text: str) -> list[Line]:
    """Every line of a text, which must all be JSON of our form."""
    lines: list[Line] = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        assert set(line) >= ALWAYS, line
        assert line["timestamp"].endswith("Z"), line
    return lines


def with_message(lines: list[Line], part: str) -> list[Line]:
    """The lines whose message contains a text."""
    return [line for line in lines if part in line["message"]]


def job_of(line: Line) -> tuple[Any, ...]:
    """The job's fields of a line, None for those that it has not."""
    return tuple(line.get(name) for name in JOB)
