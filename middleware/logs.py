"""How a process of the fleet logs."""

from __future__ import annotations

import logging
import os
import sys
import threading
from types import TracebackType
from typing import Any

from ..broker.settings import settings
from .job_fields import JobFields
from .json_log import JsonLog
from .stderr_log import StderrLog
from .text_log import TextLog

LOGGER = logging.getLogger(__name__)

#: File number of standard error; Dramatiq replaces ``sys.stderr`` in workers, which then is no terminal.
STDERR = 2


def configure_logging(*, level: int | None = None) -> None:
    """Give every line of this process the fleet's form: JSON, or readable on a terminal, with the running job's fields.

    Call it once where the process begins; in a module of actors, at its top, so that ``dramatiq`` uses it too. The
    setting ``log_format`` (JOBFLEET_LOG_FORMAT) forces either form. Handlers of the root logger that write to a
    stream keep where they write; where there is none, lines go to standard error. Loggers and levels stay as they
    are. Calling it again changes nothing.

    Parameters:
      level: the lowest level that is logged; what the root logger has, if None and it has a handler, else INFO.

    Raises:
      ConfigurationError: a setting is wrong.
    """
    as_json = resolved_format() == "json"
    root = logging.getLogger()
    handlers = [handler for handler in root.handlers if type(handler) in (logging.StreamHandler, StderrLog)]
    if not handlers:
        handlers = [StderrLog()]
        root.addHandler(handlers[0])
        level = level or logging.INFO
    if level is not None:
        root.setLevel(level)
    for handler in handlers:
        handler.setFormatter(JsonLog() if as_json else TextLog())
        if not any(isinstance(known, JobFields) for known in handler.filters):
            handler.addFilter(JobFields())
    if as_json:
        # These would write lines of their own between ours.
        logging.captureWarnings(True)
        threading.excepthook = _tell_thread
        sys.excepthook = _tell


def resolved_format(stream: int = STDERR) -> str:
    """``json`` or ``text``: what the setting says, or what suits who reads.

    Parameters:
      stream: number of the file that lines are written to.
    """
    chosen = settings().log_format
    if chosen == "auto":
        return "text" if os.isatty(stream) else "json"
    return chosen


def _tell_thread(what: threading.ExceptHookArgs) -> None:
    if what.exc_value is not None and not issubclass(what.exc_type, SystemExit):
        name = what.thread.name if what.thread is not None else "a thread"
        LOGGER.critical("%s has ended with an exception", name, exc_info=what.exc_value)


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> Any:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    LOGGER.critical("this process ends with an exception", exc_info=(kind, error, trace))
