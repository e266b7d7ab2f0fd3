"""The demo, told from its beginning to its end.

1. A home of its own in the system's folder for temporary files; servers, monitor and workers are started there.
2. An application's jobs are sent and the fleet works on them, to be watched live.
3. Its result is shown: the queues, one job's attempts, the dead letters.
4. What broke is mended and its dead letters are replayed.
5. Tenants flood, are refused, held, paused; a job is sent twice.
6. What was expected is compared with what happened, and the audit has the last word.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis
from dramatiq.errors import ConnectionError as BrokerAway

from ..broker.audit import AuditReport
from ..broker.errors import JobfleetError
from .demo_check import DemoCheck
from .demo_display import DemoDisplay
from .demo_fleet import FIRST_BACKOFF_MS, THREADS, WORKERS, DemoFleet
from .demo_interruption import DemoInterrupted, interruptible
from .demo_report import write_report
from .demo_story import DemoFailed, DemoStory
from .tables import note

#: Seconds for the load, of which the fifth attempt of the broken webhooks needs 15; more on a busy machine.
LOAD_SECONDS = 120.0
REPLAY_SECONDS = 60.0
RECORD_SECONDS = 30.0

FAILURES = (JobfleetError, DemoFailed, BrokerAway, redis.RedisError, psycopg.Error, OSError)


def run_demo(*, keep: bool, report: Path | None) -> int:
    """Run and tell the whole demo.

    Parameters:
      keep: leave its home there.
      report: a file for the evidence, or None.

    Returns:
      the exit code: 0 if everything happened that should have, 1 if not, 128 and the signal's number after a signal.
    """
    display = DemoDisplay()
    try:
        with interruptible(), _home(keep=keep) as home:
            display.say(f"A fleet in {home}" + ("" if keep else ", which is removed at the end"))
            return 0 if _run(home, display, keep=keep, report=report) else 1
    except DemoInterrupted as interruption:
        note("The demo was stopped; nothing of it runs any more.")
        return interruption.status
    except FAILURES as error:
        advice = "" if keep else " (run it with --keep to look at the logs)"
        note(f"The demo failed: {error}{advice}")
        return 1


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
        _tenants(story, display)
        checks = _compare(story, display)
        fleet.stop()
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


def _tenants(story: DemoStory, display: DemoDisplay) -> None:
    display.step("Let tenants meet their limits: a flood, a small plan, a key, a pause")
    story.tenants()
    with display.progress({"email": story.load.totals["email"]}) as show:
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
