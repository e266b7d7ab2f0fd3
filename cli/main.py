"""The command ``jobfleet``."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import psycopg
import redis
import typer
from dramatiq.errors import DramatiqError

from .. import __version__
from ..broker.errors import JobfleetError
from . import run
from .audit import audit
from .cancel import cancel, purge
from .check import check
from .demo import demo
from .follow import follow
from .inspect import jobs, queues
from .operate import dead
from .pauses import pause, resume
from .tenants import tenants
from .tenants_top import top
from .why import run_now, why

app = typer.Typer(
    name="jobfleet",
    help="Background jobs of a multi-tenant application: run them, look at them, repair them.",
    no_args_is_help=True,
    add_completion=False,
    # Plain text: the same on a terminal, in a log and in a mail, and errors are sentences without boxes.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


for command in (run.up, demo, run.worker, run.monitor, run.migrate):
    app.command()(command)
queues.command()(purge)
jobs.command()(follow)
jobs.command()(why)
jobs.command()(run_now)
tenants.command()(top)
app.add_typer(queues)
app.add_typer(jobs)
app.add_typer(dead)
app.add_typer(tenants)
app.command()(why)
app.command()(cancel)
for switch in (pause, resume):
    app.command()(switch)
for look in (audit, check):
    app.command()(look)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"jobfleet {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command; what goes wrong is one sentence on standard error and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        # What cannot be encoded is shown by its number instead of ending us.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except (JobfleetError, DramatiqError, redis.RedisError, psycopg.Error, OSError) as error:
        sentence = " ".join(str(error).split()) or type(error).__name__
        sys.stderr.write(f"jobfleet: {sentence}\n")
        sys.exit(1)
