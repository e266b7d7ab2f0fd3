"""Ends the demo in good order when somebody ends it early."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: What ends a demo: Ctrl-C, a supervisor, a terminal that is closed.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DemoInterrupted(BaseException):
    """The process was asked to end; no ``except Exception`` on the way may keep it from that."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        #: As a shell tells of a process that a signal ended.
        self.status = 128 + number


@contextmanager
def interruptible() -> Iterator[None]:
    """Let the first signal leave the block by ``DemoInterrupted``; later ones do not disturb the clearing up.

    To be used in the main thread.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        for later in SIGNALS:
            signal.signal(later, signal.SIG_IGN)
        raise DemoInterrupted(number)

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
