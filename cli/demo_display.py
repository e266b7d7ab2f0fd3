"""How the demo tells its story: live bars on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from ..broker.dead_letter import DeadLetter
from ..broker.stats import QueueStats
from ..middleware.logged_job import LoggedJob
from .demo_check import DemoCheck
from .tables import Column, console, print_table
from .timeline import timeline_lines

#: Seconds between two plain lines.
LINE_SECONDS = 1.0

#: The counts that say how far a queue is.
COUNTS = ("waiting", "active", "completed", "failed", "delayed")
QUEUE_COLUMNS = (Column("queue"), *(Column(name, number=True) for name in COUNTS))
DEAD_COLUMNS = (
    Column("queue"),
    Column("tenant"),
    Column("actor"),
    Column("attempts", number=True),
    Column("reason"),
    Column("error", flexible=True),
)

#: Shows the counts of the queues at one moment.
Show = Callable[[Sequence[QueueStats]], None]


class DemoDisplay:
    """The demo's output."""

    def __init__(self) -> None:
        self._console = console()
        self._steps = 0

    def step(self, title: str) -> None:
        """Begin the next numbered step."""
        self._steps += 1
        self._console.print(Text(f"\n{self._steps}. {title}", style="bold"))

    def say(self, line: str = "") -> None:
        """Say a sentence on a line of its own."""
        self._console.print(line)

    @contextmanager
    def progress(self, totals: Mapping[str, int]) -> Iterator[Show]:
        """Show how far each queue is, until the block ends.

        Parameters:
          totals: the number of jobs that each queue has to finish.
        """
        if sys.stdout.isatty():
            with self._bars(totals) as show:
                yield show
        else:
            yield self._lines(totals)

    def queues(self, rows: Sequence[QueueStats]) -> None:
        """The counts of each queue."""
        print_table(QUEUE_COLUMNS, [[row.queue, *_counts(row)] for row in rows])

    def timeline(self, job: LoggedJob) -> None:
        """Every attempt of one job: when it began, how long it waited and ran, and what went wrong."""
        for line in timeline_lines(job):
            self.say(f"  {line}")

    def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """What failed for good, and why."""
        oldest_first = sorted(letters, key=lambda letter: letter.failed_ms)
        rows = [[d.queue, d.tenant_id, d.actor, d.attempts, d.reason, d.error] for d in oldest_first]
        print_table(DEAD_COLUMNS, rows)

    def checks(self, checks: Sequence[DemoCheck]) -> None:
        """What was expected, what was found, and whether it is the same."""
        for check in checks:
            verdict = Text("ok    ", style="green") if check.ok else Text("FAILED", style="bold red")
            self._console.print(Text.assemble(verdict, f"  {check.name}: {check.found}"))

    @contextmanager
    def _bars(self, totals: Mapping[str, int]) -> Iterator[Show]:
        columns = (TextColumn("{task.description:<8}"), BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, TextColumn("{task.fields[counts]}")) as progress:
            bars = {queue: progress.add_task(queue, total=total, counts="") for queue, total in totals.items()}

            def show(rows: Sequence[QueueStats]) -> None:
                for row in rows:
                    if row.queue in bars:
                        finished = max(0, totals[row.queue] - row.total)
                        progress.update(bars[row.queue], completed=finished, counts=_sentence(row))

            yield show

    def _lines(self, totals: Mapping[str, int]) -> Show:
        began = due = time.monotonic()
        last = ""

        def show(rows: Sequence[QueueStats]) -> None:
            nonlocal last, due
            text = "  |  ".join(f"{row.queue}: {_sentence(row)}" for row in rows if row.queue in totals)
            over = not any(row.total for row in rows)
            if text != last and (over or time.monotonic() >= due):
                self.say(f"  {time.monotonic() - began:5.1f} s  {text}")
                last, due = text, time.monotonic() + LINE_SECONDS

        return show


def _counts(row: QueueStats) -> list[int]:
    return [getattr(row, name) for name in COUNTS]


def _sentence(row: QueueStats) -> str:
    """The counts as a sentence, those that are not 0."""
    return ", ".join(f"{count} {name}" for name, count in zip(COUNTS, _counts(row), strict=True) if count) or "nothing"
