"""Watches over the children of ``jobfleet up`` and ``jobfleet worker``.

1. Every child is started. One that dies is started again without touching the others: at once the first time, after
   growing pauses when it dies again soon (a job may kill every worker that takes it, until it is found out).
2. A child that several times in a row ends before it has begun to work is given up, and the rest with it: exit code 1.
3. The first SIGINT or SIGTERM is passed on once, stage by stage; all finish what they run: exit code 0.
4. The second ends them at once: exit code 1.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from itertools import chain

from .child import Child

#: Seconds between two looks at the children.
LOOK_SECONDS = 0.25
#: Seconds before a child that died soon after a start is started again, doubled each time, and the most of them.
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 1.0, 30.0
#: Starts in a row that came to nothing, after which a child is given up.
GIVE_UP = 4
#: What an exit code says, where it says something.
MEANINGS = {70: "lost a thread to a job that nothing could interrupt"}


class Supervisor:
    """Keeps children running until a signal, for the main thread of a process.

    Parameters:
      stages: children in the order in which they are stopped; those of one stage stop together. Not yet started.
      say: prints a line.
      broken: says in a sentence what makes going on pointless, None while nothing does; asked with each look.
    """

    def __init__(
        self,
        stages: Sequence[Sequence[Child]],
        say: Callable[[str], None],
        broken: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._stages = stages
        self._say = say
        self._broken = broken
        self._signals = 0
        self._signalled = threading.Event()
        #: When a child that died is to be started again, by the monotonic clock.
        self._due: dict[Child, float] = {}

    @property
    def pids(self) -> set[int]:
        """The process ids of all children that run or whose death was not noticed yet."""
        return {child.pid for child in self._children() if child.pid is not None}

    def run(self) -> int:
        """Run until a signal; returns the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # A hangup that is ignored (nohup) stays so.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)
        try:
            for stage in reversed(self._stages):
                for child in stage:
                    child.start()
            while not self._signalled.wait(LOOK_SECONDS):
                if reason := self._broken() or self._look():
                    self._say(reason)
                    self._stop()
                    return 1
            self._say("stopping: running jobs finish first, a second signal or Ctrl-C ends them at once")
            return self._stop()
        finally:
            for child in self._children():
                child.kill()

    def _children(self) -> list[Child]:
        return list(chain(*self._stages))

    def _on_signal(self, *_: object) -> None:
        self._signals += 1
        self._signalled.set()

    def _look(self) -> str | None:
        """Start again what has died; the reason to give up, if there is one."""
        for child in self._children():
            pid, status = child.pid, child.died()
            if status is not None:
                died = f"{child.name} (process {pid}) {_told(status)}"
                if child.failed_starts >= GIVE_UP:
                    return f"{died}, the {GIVE_UP}th time in a row before it could start: giving up"
                pause = _pause(child.early_deaths)
                self._say(f"{died}, starting it again {f'in {pause:g} s' if pause else 'at once'}")
                self._due[child] = time.monotonic() + pause
            if child in self._due and time.monotonic() >= self._due[child]:
                del self._due[child]
                child.start()
        return None

    def _stop(self) -> int:
        already = self._signals
        for stage in self._stages:
            for child in stage:
                child.stop()
            while not all(child.ended() for child in stage):
                if self._signals > max(1, already):
                    for child in stage:
                        child.kill()
                time.sleep(0.05)
        return 1 if self._signals > 1 else 0


def _pause(early_deaths: int) -> float:
    """Seconds to wait before the next start."""
    return 0.0 if early_deaths < 2 else min(PAUSE_SECONDS * 2.0 ** (early_deaths - 2), PAUSE_SECONDS_MAX)


def _told(status: int) -> str:
    """How a child ended, for a person."""
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with exit code {status}" + (f" ({MEANINGS[status]})" if status in MEANINGS else "")
