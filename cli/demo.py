"""``jobfleet demo``: a whole fleet on this machine, for as long as it takes to see everything once.

1. A home of its own in the system's folder for temporary files; servers, monitor and workers are started there.
2. An application's jobs are sent and the fleet works on them, to be watched live.
3. Its result is shown: the queues, one job's attempts, the dead letters.
4. What broke is mended and its dead letters are replayed.
5. What was expected is compared with what happened, and the audit has the last word.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import psycopg
import redis
import typer
from dramatiq.errors import ConnectionError as BrokerAway

from ..broker.audit import AuditReport
from ..broker.errors import JobfleetError
from .demo_check import DemoCheck
from .demo_display import DemoDisplay
from .demo_fleet import FIRST_BACKOFF_MS, THREADS, WORKERS, DemoFleet
from .demo_interruption import DemoInterrupted, interruptible
from .demo_report import write_report
from .demo_story import DemoFailed, DemoStory

#: Seconds for the load, of which the fifth attempt of the broken webhooks needs 15; more on a busy machine.
LOAD_SECONDS = 120.0
REPLAY_SECONDS = 60.0
RECORD_SECONDS = 30.0

FAILURES = (JobfleetError, DemoFailed, BrokerAway, redis.RedisError, psycopg.Error, OSError)


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

    At the end it compares the job log with what the mail server and the endpoints saw. The last line is the audit's
    verdict; the exit code is 0 only if everything happened that should have. Nothing is left behind.

    \b
    Examples:
      jobfleet demo
      jobfleet demo --keep --report evidence.json
    """
    display = DemoDisplay()
    try:
        with interruptible(), _home(keep=keep) as home:
            display.say(f"A fleet in {home}" + ("" if keep else ", which is removed at the end"))
            passed = _run(home, display, keep=keep, report=report)
    except DemoInterrupted as interruption:
        typer.echo("The demo was stopped; nothing of it runs any more.", err=True)
        raise typer.Exit(interruption.status) from None
    except FAILURES as error:
        advice = "" if keep else " (run it with --keep to look at the logs)"
        typer.echo(f"The demo failed: {error}{advice}", err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(0 if passed else 1)


def _run(home: Path, display: DemoDisplay, *, keep: bool, report: Path | None) -> bool:
    """Tell the story; returns whether all was as expected."""
    display.step("Start the servers, the monitor and the workers")
    began = time.monotonic()
    with DemoFleet(home, keep=keep) as fleet:
        story = DemoStory(fleet)
        display.say(
            f"Redis, PostgreSQL, a mail server, a webhook receiver, {WORKERS} workers of {THREADS} threads:"
            f" {time.monotonic() - began:.1f} s"
        )
        display.say(
            f"So that you need not wait, this demo's configuration retries after {FIRST_BACKOFF_MS} ms, then twice"
            " that, and so on; emails usually begin with 2,000 ms, webhooks with 5,000 ms."
        )
        _send(story, display)
        _show(story, display)
        _replay(story, display)
        checks = _compare(story, display)
        fleet.stop_workers()
        audit = fleet.broker.audit()
        if report:
            write_report(report, story, checks, audit)
    _conclude(home, display, checks, audit, keep=keep)
    return audit.clean and all(check.ok for check in checks)


def _send(story: DemoStory, display: DemoDisplay) -> None:
    display.step("Send emails and webhooks for four tenants, and let the fleet work")
    story.load.send()
    totals = story.load.totals
    display.say("Sent: " + ", ".join(f"{count} jobs to the queue {queue}" for queue, count in totals.items()))
    with display.progress(totals) as show:
        story.finish(show, LOAD_SECONDS)
    story.record(RECORD_SECONDS)


def _show(story: DemoStory, display: DemoDisplay) -> None:
    display.step("Look at the result")
    display.queues(story.stats())
    display.say("\nThe timeline of a webhook whose endpoint failed twice, from the job log:")
    display.timeline(story.log()["/shaky globex-1"])
    display.say("\nDead letters:")
    display.dead_letters(story.dead_letters())


def _replay(story: DemoStory, display: DemoDisplay) -> None:
    display.step("Mend the endpoint that always failed, and replay its dead letters")
    replayed = story.replay()
    display.say(f"Replayed: {len(replayed)} jobs")
    with display.progress({"webhook": len(replayed)}) as show:
        story.finish(show, REPLAY_SECONDS)
    story.record(RECORD_SECONDS)
    display.queues(story.stats())


def _compare(story: DemoStory, display: DemoDisplay) -> list[DemoCheck]:
    display.step("Compare what was sent, the job log, and what mail server and endpoints saw")
    checks = story.checks(story.log())
    display.checks(checks)
    return checks


def _conclude(home: Path, display: DemoDisplay, checks: Sequence[DemoCheck], audit: AuditReport, *, keep: bool) -> None:
    display.say()
    if keep:
        display.say(f"Kept in {home}. To look around: JOBFLEET_HOME={home} jobfleet up")
    wrong = sum(not check.ok for check in checks)
    display.say(f"{wrong} of {len(checks)} checks FAILED" if wrong else f"All {len(checks)} checks are ok")
    for finding in audit.findings:
        display.say(f"  {finding}")
    display.say(str(audit).splitlines()[0])


@contextmanager
def _home(*, keep: bool) -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="jobfleet-demo-"))
    try:
        yield home
    finally:
        if not keep:
            shutil.rmtree(home, ignore_errors=True)
