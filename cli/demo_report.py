"""The demo's evidence as a file, for whoever wants to judge it without us."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ..broker.audit import AuditReport
from .demo_check import DemoCheck
from .demo_story import DemoStory


def write_report(file: Path, story: DemoStory, checks: Sequence[DemoCheck], audit: AuditReport) -> None:
    """Write what was sent, what the outside world saw and what the demo concluded.

    Raises:
      OSError: the file cannot be written.
    """
    fleet = story.fleet
    content = {
        "home": str(fleet.home),
        "jobs": [
            {**asdict(job), "final_attempts": job.final_attempts, "final_status": job.final_status}
            for job in story.load.jobs.values()
        ],
        "mails": [asdict(mail) for mail in fleet.mail.attempts],
        "webhooks": [asdict(webhook) for webhook in fleet.receiver.received],
        "checks": [asdict(check) for check in checks],
        "audit": {"clean": audit.clean, "verdict": str(audit)},
    }
    file.write_text(json.dumps(content, indent=2))
