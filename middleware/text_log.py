"""Log lines for people."""

from __future__ import annotations

import logging

from typing_extensions import override

#: The job's fields in the order in which they are shown.
SHOWN = ("job_id", "tenant", "queue", "actor", "attempt", "trace_id")
#: Characters that steer a terminal: errors hold what strangers' servers have answered.
STEERING = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


class TextLog(logging.Formatter):
    """A formatter that makes a readable line of a record, in local time, with the job behind the message."""

    default_msec_format = "%s.%03d"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-8s %(name)s: %(message)s")

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line; a traceback follows on lines of its own."""
        job = " ".join(f"{name}={getattr(record, name)}" for name in SHOWN if hasattr(record, name))
        return f"{super().formatMessage(record)}{f'  [{job}]' if job else ''}"

    @override
    def format(self, record: logging.LogRecord) -> str:
        """All that is shown of a record."""
        return super().format(record).translate(STEERING)
