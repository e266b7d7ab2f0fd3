"""How the demo tells its story: live bars on a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ..broker.dead_letter import DeadLetter
from ..broker.stats import QueueStats
from ..middleware.logged_job import LoggedJob
from .demo_check import DemoCheck

#: Columns where there is no terminal that says how many it has.
WIDTH = 120
#: Seconds between two plain lines.
LINE_SECONDS = 1.0

#: Shows the counts of the queues at one moment.
Show = Callable[[Sequence[QueueStats]], None]


class DemoDisplay:
    """The demo's output."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        if not self._console.is_terminal:
            self._console = Console(highlight=False, width=WIDTH)
        self._steps = 0

    def step(self, title: str) -> None:
        """Begin the next numbered step."""
        self._steps += 1
        self._console.print(f"\n[bold]{self._steps}. {title}[/bold]")

    def say(self, text: str) -> None:
        """Say a sentence, as it is and on one line of its own."""
        self._console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def progress(self, totals: Mapping[str, int]) -> Iterator[Show]:
        """Show how far each queue is, until the block ends.

        Parameters:
          totals: the number of jobs that each queue has to finish.
        """
        if self._console.is_terminal:
            with self._bars(totals) as show:
                yield show
        else:
            yield self._lines(totals)

    def queues(self, rows: Sequence[QueueStats]) -> None:
        """The counts of each queue."""
        table = self._table("queue", "waiting", "active", "completed", "failed", "delayed")
        for row in rows:
            counts = (row.waiting, row.active, row.completed, row.failed, row.delayed)
            table.add_row(row.queue, *map(str, counts))
        self._console.print(table)

    def timeline(self, job: LoggedJob) -> None:
        """Every attempt of one job, in seconds since it was sent."""

        def since(moment: datetime | None) -> str:
            return f"+{(moment - job.created_at).total_seconds():.2f} s" if moment else "?"

        table = self._table("attempt", "outcome", "started", "ended", "waited", "ran", "error")
        for run in job.runs:
            durations = (f"{ms} ms" if ms is not None else "?" for ms in (run.wait_ms, run.run_ms))
            moments = (since(run.started_at), since(run.ended_at))
            table.add_row(str(run.attempt), run.outcome, *moments, *durations, escape(run.error or ""))
        self._console.print(table)

    def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """What failed for good, and why."""
        table = self._table("queue", "tenant", "actor", "attempts", "reason", "error")
        for letter in sorted(letters, key=lambda letter: letter.failed_ms):
            texts = (letter.queue, letter.tenant_id, letter.actor, str(letter.attempts), letter.reason, letter.error)
            table.add_row(*map(escape, texts))
        self._console.print(table)

    def checks(self, checks: Sequence[DemoCheck]) -> None:
        """What was expected, what was found, and whether it is the same."""
        for check in checks:
            verdict = "[green]ok    [/green]" if check.ok else "[bold red]FAILED[/bold red]"
            self._console.print(f"{verdict}  {escape(check.name)}: {escape(check.found)}", soft_wrap=True)

    @contextmanager
    def _bars(self, totals: Mapping[str, int]) -> Iterator[Show]:
        columns = (TextColumn("{task.description:<8}"), BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn())
        counts = TextColumn("{task.fields[counts]}")
        with Progress(*columns, counts, console=self._console) as progress:
            bars = {queue: progress.add_task(queue, total=total, counts="") for queue, total in totals.items()}

            def show(rows: Sequence[QueueStats]) -> None:
                for row in rows:
                    if row.queue in bars:
                        finished = totals[row.queue] - row.total
                        progress.update(bars[row.queue], completed=max(0, finished), counts=_counts(row))

            yield show

    def _lines(self, totals: Mapping[str, int]) -> Show:
        began = time.monotonic()
        last = ""
        due = began

        def show(rows: Sequence[QueueStats]) -> None:
            nonlocal last, due
            text = "  |  ".join(f"{row.queue}: {_counts(row)}" for row in rows if row.queue in totals)
            over = not any(row.total for row in rows)
            if text != last and (over or time.monotonic() >= due):
                self.say(f"  {time.monotonic() - began:5.1f} s  {text}")
                last, due = text, time.monotonic() + LINE_SECONDS

        return show

    @staticmethod
    def _table(*columns: str) -> Table:
        table = Table(show_edge=False, pad_edge=False)
        for column in columns:
            table.add_column(column, overflow="fold")
        return table


def _counts(row: QueueStats) -> str:
    counts = (f"{row.waiting} waiting", f"{row.active} active", f"{row.delayed} delayed")
    return ", ".join((*counts, f"{row.completed} completed", f"{row.failed} failed"))
