"""The command ``jobfleet`` in real processes, for the tests of the command."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import dramatiq
from dramatiq import Worker
from processes import Outcome, Process
from quick_commands import quick_commands
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.middleware.database import Database
from jobfleet.middleware.job_log import JobLog
from jobfleet.monitoring.monitor import Monitor


def run_all(commands: Sequence[Sequence[str]], *environments: Mapping[str, str]) -> list[Outcome]:
    """Run commands side by side, each in a process of its own, forked from one that has imported it already.

    Parameters:
      commands: arguments of ``jobfleet``, for each command.
      environments: the one that all see, or one for each.
    """
    seen = environments * len(commands) if len(environments) == 1 else environments
    if all(quick_commands().can_run(environment) for environment in seen):
        return quick_commands().run(list(zip(commands, seen, strict=True)))
    with ExitStack() as stack:
        started = [
            stack.enter_context(Process(["jobfleet", *command], environment))
            for command, environment in zip(commands, seen, strict=True)
        ]
        return [process.wait() for process in started]


def run(environment: Mapping[str, str], *arguments: str) -> Outcome:
    """Run one command."""
    return run_all([arguments], environment)[0]


def parsed(outcome: Outcome) -> Any:
    """What a command with --json printed, when it ended well."""
    assert outcome.status == 0, outcome
    return json.loads(outcome.output)


def refused(outcome: Outcome, *words: str) -> None:
    """See that a command ended with one clear sentence that has the words."""
    assert outcome.status == 1, outcome
    assert outcome.output == "", outcome
    lines = outcome.errors.splitlines()
    assert len(lines) == 1, outcome
    assert lines[0].startswith("jobfleet: "), outcome
    for word in words:
        assert word in lines[0], outcome


class SmallFleet:
    """A fleet in this process that has run a few jobs, for commands to look at.

    Parameters:
      broker: whose jobs they are.
      database: where the monitor writes the log.
    """

    def __init__(self, broker: FairBroker, database: Database) -> None:
        self.broker = broker
        self._database = database
        broker.add_middleware(JobLog())
        self.mended = False

        @dramatiq.actor(broker=broker, queue_name="email", redact=["secret"])
        def good(*, tenant_id: int, secret: str = "") -> dict[str, bool]:
            return {"sent": True}

        @dramatiq.actor(broker=broker, queue_name="webhook", max_retries=1, min_backoff=1)
        def broken(*, tenant_id: int, number: int = 0) -> None:
            if not self.mended:
                raise ValueError(f"endpoint {number} is broken\nand says so in two lines")

        @dramatiq.actor(broker=broker, queue_name="webhook", max_retries=0)
        def hostile(*, tenant_id: int) -> None:
            raise ValueError("HTTP 500 \x1b[2J\x1b]0;owned\x07 \udcff")

        self.good, self.broken, self.hostile = good, broken, hostile

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run workers and the monitor; at the end everything is done and recorded."""
        stop = threading.Event()
        monitor = Monitor(self.broker, self._database)
        watching = threading.Thread(target=monitor.run, args=(stop,))
        worker = Worker(self.broker, worker_threads=2, worker_timeout=100)
        watching.start()
        worker.start()
        try:
            yield
            eventually(self._idle, timeout=30)
            eventually(lambda: monitor.recorder.lag() == (0, 0.0))
        finally:
            worker.stop()
            stop.set()
            watching.join(timeout=30)

    def _idle(self) -> bool:
        return all(stats.waiting + stats.active == 0 for stats in self.broker.stats()) and not self._retrying()

    def _retrying(self) -> bool:
        return self.broker.stats(["webhook"])[0].delayed > 0
