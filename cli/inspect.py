"""Commands that look and change nothing: queues, jobs."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer
from rich.live import Live

from .filters import ActorFilter, AsJson, QueueFilter, Status, TenantFilter
from .fleet_context import FleetContext, fleet_context
from .job_report import job_report, print_job_report
from .queue_table import QUEUE_COLUMNS, queue_rows
from .tables import Column, console, print_json, print_json_line, print_table, say, table

jobs = typer.Typer(
    name="jobs",
    help="Look at jobs: the newest, one in detail, or live.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

queues = typer.Typer(name="queues", invoke_without_command=True, rich_markup_mode=None)

JOB_COLUMNS = (
    Column("job"),
    Column("status"),
    Column("queue"),
    Column("tenant"),
    Column("actor"),
    Column("attempts", number=True),
    Column("sent"),
    Column("error", flexible=True),
)


@queues.callback()
def show_queues(
    context: typer.Context,
    as_json: AsJson = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show it again and again until Ctrl-C.")] = False,
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks of --watch.")] = 1.0,
) -> None:
    """Count the jobs of every queue, or purge one.

    "waiting" could run now, "delayed" waits for its time (a delay or a backoff), "failed" is dead letters now,
    "completed" counts for ever; total = waiting + active + delayed.

    \b
    Examples:
      jobfleet queues
      jobfleet queues --watch
      jobfleet queues --json
    """
    if context.invoked_subcommand:
        return
    with fleet_context() as fleet:
        if watch:
            _watch(fleet, as_json, interval)
        elif as_json:
            print_json(_queue_objects(fleet))
        else:
            print_table(QUEUE_COLUMNS, queue_rows(fleet.stats()))


def _watch(fleet: FleetContext, as_json: bool, interval: float) -> None:
    """Until Ctrl-C: redraw on a terminal, else print one look below the other."""
    try:
        if as_json or not sys.stdout.isatty():
            while True:
                if as_json:
                    print_json_line(_queue_objects(fleet))
                else:
                    print_table(QUEUE_COLUMNS, queue_rows(fleet.stats()))
                    say("")
                time.sleep(interval)
        with Live(console=console(), auto_refresh=False) as live:
            while True:
                live.update(table(QUEUE_COLUMNS, queue_rows(fleet.stats())), refresh=True)
                time.sleep(interval)
    except KeyboardInterrupt:
        return


def _queue_objects(fleet: FleetContext) -> list[dict[str, object]]:
    names = ("queue", "waiting", "active", "completed", "failed", "delayed", "total", "oldest_wait_seconds", "paused")
    return [{name: getattr(stats, name) for name in names} for stats in fleet.stats()]


@jobs.command("list")
def list_jobs(
    queue: QueueFilter = None,
    tenant: TenantFilter = None,
    status: Annotated[Status | None, typer.Option(help="Only jobs in this state.")] = None,
    actor: ActorFilter = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the newest jobs of the job log, newest first.

    \b
    Examples:
      jobfleet jobs list --status failed
      jobfleet jobs list --queue email --tenant 42 --limit 100 --json
    """
    with fleet_context() as fleet:
        fleet.check_queue(queue)
        found = fleet.history.jobs(queue=queue, tenant=tenant, status=status, actor=actor, limit=limit)
        fleet.say_if_log_is_behind()
    if as_json:
        print_json([{name: value for name, value in vars(job).items() if name != "runs"} for job in found])
        return
    if not found:
        say("no jobs")
        return
    rows = [[j.job_id, j.status, j.queue, j.tenant_id, j.actor, j.attempts, j.created_at, j.error or ""] for j in found]
    print_table(JOB_COLUMNS, rows)


@jobs.command("show")
def show_job(
    job_id: Annotated[str, typer.Argument(help="The job's id, as send() returned it.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Show all that is known of one job: where it is now, its arguments, its attempts and their errors.

    \b
    Example:
      jobfleet jobs show 0b9a3b52-7f6e-4a6c-8a43-27c5a3f9a7c1
    """
    with fleet_context() as fleet:
        report = job_report(fleet, job_id)
    if as_json:
        print_json(report)
    else:
        print_job_report(report)
