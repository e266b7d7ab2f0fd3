"""Log lines for programs."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from pythonjsonlogger.json import JsonFormatter
from typing_extensions import override

#: What every line has, and what the fields of Python's records are called in it.
FIELDS = {
    "asctime": "timestamp",
    "levelname": "level",
    "name": "logger",
    "message": "message",
    "process": "pid",
    "threadName": "thread",
}


class JsonLog(JsonFormatter):
    """A formatter that makes one JSON object of a record, on one line.

    Its fields are those of FIELDS, the job's (see ``JobFields``), whatever ``extra=`` brought, and ``exception``: the
    whole traceback as one text. The timestamp is RFC 3339 in UTC.
    """

    def __init__(self) -> None:
        renamed = {name: shown for name, shown in FIELDS.items() if shown != name}
        super().__init__(list(FIELDS), rename_fields={**renamed, "exc_info": "exception", "stack_info": "stack"})

    @override
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """The moment of a record, to the millisecond."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
