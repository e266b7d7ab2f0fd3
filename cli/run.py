"""Commands that are processes: up, worker, monitor, migrate."""

from __future__ import annotations

import gc
import logging
import signal
import sys
import threading
from typing import Annotated

import typer

from ..broker import FairBroker
from ..broker.connection import describe, reachable
from ..broker.errors import ConfigurationError
from ..broker.settings import settings
from ..deploy.migrate import migrate as apply_migrations
from ..deploy.migrate import pending
from ..middleware.database import database
from ..middleware.logs import configure_logging
from .parent_death import death_signal
from .process_log import LogFormatOption, ProcessLog
from .ready_mark import mark_ready
from .supervisor import Supervisor
from .tables import say
from .up import run_fleet
from .worker_checks import check_servers, queues_to_serve, refuse_missing_migrations
from .worker_children import worker_children

Modules = Annotated[
    list[str] | None,
    typer.Argument(metavar="MODULE", help="Modules of the application that declare actors, such as myapp.jobs."),
]


def up(
    modules: Modules = None,
    processes: Annotated[int, typer.Option("--processes", "-p", min=1, help="Worker processes.")] = 1,
    threads: Annotated[int, typer.Option("--threads", "-t", min=1, help="Jobs that each of them runs at once.")] = 10,
    watch: Annotated[
        bool, typer.Option("--watch", help="Run Prometheus and Alertmanager as well, with jobfleet's rules.")
    ] = False,
    log_format: LogFormatOption = None,
) -> None:
    """Run a whole fleet on this machine until Ctrl-C.

    Starts Redis and PostgreSQL where REDIS_URL and DATABASE_URL name none (their data stays in .jobfleet, or where
    JOBFLEET_HOME says), brings the tables up to date, and runs workers for all queues and the monitor. What dies is
    started again. Ctrl-C lets running jobs finish; a second one does not.

    With --watch, Prometheus scrapes the monitor every 5 seconds and judges what it sees by jobfleet's rules;
    Alertmanager brings what fires to the monitor. Both must be on PATH: on Debian and Ubuntu,
    apt-get install prometheus prometheus-alertmanager.

    \b
    Examples:
      jobfleet up
      jobfleet up --watch
      jobfleet up myapp.jobs --processes 2 --threads 16
    """
    log = ProcessLog(log_format, sys.stdout.fileno())
    status = run_fleet(tuple(modules or ()), processes, threads, log, watch=watch)
    if status:
        raise typer.Exit(status)


def worker(
    modules: Modules = None,
    queue: Annotated[
        list[str] | None,
        typer.Option("--queue", "-Q", help="Serve this queue; may be repeated. All that have actors if not given."),
    ] = None,
    threads: Annotated[int, typer.Option("--threads", "-t", min=1, help="Jobs that each process runs at once.")] = 10,
    processes: Annotated[int, typer.Option("--processes", "-p", min=1, help="Worker processes.")] = 1,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log in detail, all arguments of jobs included.")
    ] = False,
    log_format: LogFormatOption = None,
) -> None:
    """Work on jobs until SIGTERM or Ctrl-C.

    The actors of jobfleet.actors and of the modules given run here. A process that dies is replaced while the others
    work on. SIGTERM gives back at once what has not started, finishes what runs, and exits 0. A second SIGTERM leaves
    at once, and exits 1.

    \b
    Examples:
      jobfleet worker -Q email -Q webhook -t 10
      jobfleet worker myapp.jobs -Q report -p 2
    """
    modules = modules or []
    log = ProcessLog(log_format)
    queues = queues_to_serve(modules, queue or [])
    address = check_servers()
    log.say(f"worker of {', '.join(queues)}: {processes} x {threads} threads, Redis at {address}")
    children = worker_children(
        modules,
        queues,
        processes=processes,
        threads=threads,
        environment=log.environment,
        death_signal=death_signal(),
        verbose=verbose,
    )
    raise typer.Exit(Supervisor([children], log.say).run())


def monitor(
    host: Annotated[str | None, typer.Option("--host", help="Address of its HTTP; 127.0.0.1 if not given.")] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65_535, help="Port of its HTTP; 9465, or any when taken, if not given."),
    ] = None,
    log_format: LogFormatOption = None,
) -> None:
    """Keep the job log, the fleet's upkeep and its metrics until SIGTERM or Ctrl-C.

    Records the journal into PostgreSQL, promotes due jobs, takes back the jobs of lost workers. Answers /metrics,
    /healthz, /readyz and, for bearers of JOBFLEET_ADMIN_TOKEN or JOBFLEET_VIEWER_TOKEN, /admin and /scale over HTTP;
    /openapi.json describes all of it. Takes at /alerts what Alertmanager, with JOBFLEET_ALERTS_TOKEN, tells, and
    passes it on to JOBFLEET_ALERT_URLS. A fleet needs one monitor; two are safe, the second stands by.

    \b
    Examples:
      jobfleet monitor
      JOBFLEET_ADMIN_TOKEN=... jobfleet monitor --host 0.0.0.0 --port 9465
    """
    log = ProcessLog(log_format)
    configure_logging(level=logging.INFO)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    broker, stored = FairBroker(middleware=[]), database()
    with reachable(broker.client):
        broker.client.ping()
    refuse_missing_migrations()
    # Put off, since the monitor's HTTP brings much along that no other command needs.
    from ..monitoring.watch_post import WatchPost

    try:
        with WatchPost(broker, stored, host or settings().monitor_host, port) as post:
            namespace = settings().jobfleet_namespace
            log.say(f"monitor of {namespace}: Redis at {describe(broker.client)}, job log in {stored.address}")
            log.say(f"metrics at {post.url}/metrics")
            mark_ready()
            _collect_seldom()
            post.run(stop)
    finally:
        broker.close()
        stored.close()
    log.say("monitor stopped")


def _collect_seldom() -> None:
    """Look for cycles in memory once in 50,000 new objects instead of 700, and never among what is there by now.

    A batch of the recorder is some 20,000 objects and makes no cycles; looking through them again and again was a
    seventh of its time (2,000 jobs folded and encoded, 68 against 59 us each).
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be applied, and do nothing.")] = False,
) -> None:
    """Bring the tables in DATABASE_URL to what this version needs.

    Safe to run at any time and by several at once; what was applied before is not applied again.

    \b
    Examples:
      jobfleet migrate
      jobfleet migrate --dry-run
    """
    url = settings().database_direct_url or settings().database_url
    if not url:
        raise ConfigurationError("DATABASE_URL is not set; set it, such as postgresql://user@host/name")
    applied = pending(url) if dry_run else apply_migrations(url)
    for name in applied:
        say(f"{'would apply' if dry_run else 'applied'} {name}")
    if not applied:
        say("up to date")
