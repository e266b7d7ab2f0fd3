"""The demo's load with a database that goes away in the middle: ``python demo_outage.py SECONDS REPORT``.

A process of its own, because a fleet of the demo uses its process's broker and database.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from wait import eventually

from jobfleet.cli.demo_fleet import DemoFleet
from jobfleet.cli.demo_report import write_report
from jobfleet.cli.demo_story import DemoStory

#: Emails after which the database goes away; a third is still to come.
FIRST_EMAILS = 60


def in_the_middle(story: DemoStory) -> bool:
    emails, webhooks = story.stats()
    # The endpoint that is gone has been disabled by then: an outage just then would have it asked a second time.
    return emails.completed >= FIRST_EMAILS and webhooks.failed == 1


def main(seconds: float, report: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="outage-") as home, DemoFleet(Path(home)) as fleet:
        story = DemoStory(fleet)
        story.load.send()
        eventually(lambda: in_the_middle(story), 60)
        fleet.postgres.stop()
        time.sleep(seconds)
        fleet.postgres.start()
        story.finish(lambda rows: None, 120)
        story.record(60)
        story.replay()
        story.finish(lambda rows: None, 60)
        story.record(60)
        log = story.log()
        checks = story.checks(log)
        fleet.stop()
        write_report(report, story, checks, fleet.broker.audit())
        print(sum(run.outcome == "postponed" for job in log.values() for run in job.runs))


if __name__ == "__main__":
    main(float(sys.argv[1]), Path(sys.argv[2]))
