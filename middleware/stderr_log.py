"""A log handler for processes that fork."""

from __future__ import annotations

import logging
import sys

from typing_extensions import override


class StderrLog(logging.Handler):
    """A handler that writes to whatever is standard error at that moment.

    Dramatiq gives each worker process a pipe in its place, through which whole lines reach one writer.
    """

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; never raises."""
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 (whatever it is, logging must not end what logs)
            self.handleError(record)
