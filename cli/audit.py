"""The command that proves that nothing is lost, and mends what is amiss."""

from __future__ import annotations

from typing import Annotated

import typer

from .filters import AsJson
from .fleet_context import fleet_context
from .tables import print_json, say


def audit(
    repair: Annotated[bool, typer.Option("--repair", help="Mend what is found, and look again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Prove that no job is lost, in two places or counted wrongly.

    Walks every key of the fleet in small slices; safe while it runs. With --repair a job that stands nowhere runs
    again, and each repair is told. Exit code 1 when something was found, with --repair only when something is left.

    \b
    Examples:
      jobfleet audit
      jobfleet audit --repair
    """
    with fleet_context() as fleet:
        report = fleet.broker.audit(repair=repair)
    if as_json:
        parts = {"findings": report.findings, "repairs": report.repairs, "left": report.left, "unseen": report.unseen}
        print_json({"clean": report.clean, "jobs": report.jobs} | parts)
    else:
        for line in str(report).splitlines()[1:]:
            say(line.strip())
        say(report.verdict())
    if not (report.clean or report.mended):
        raise typer.Exit(1)
