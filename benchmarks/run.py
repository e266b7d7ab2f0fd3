"""The benchmark: ``python benchmarks/run.py --help``."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markdown import Markdown

from jobfleet.benchmarks import chart, extras, machine, report
from jobfleet.benchmarks.contender import Contender
from jobfleet.benchmarks.contest import Contest
from jobfleet.benchmarks.options import arguments, chosen, effort
from jobfleet.benchmarks.stage import House, open_house

#: Load of the last minute above which a machine is not quiet.
QUIET_LOAD = 0.5

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Measure all that was asked for, and publish it."""
    wanted = arguments()
    console = Console(stderr=True, highlight=False)
    rounds = 1 if wanted.quick else wanted.rounds
    if (load := os.getloadavg()[0]) > QUIET_LOAD:
        console.print(f"The machine is busy (load {load:.1f}): figures and ratios will suffer.")
    result: dict[str, Any] = {
        "machine": machine.describe(),
        "command": shlex.join(["benchmarks/run.py", *sys.argv[1:]]),
        "rounds": rounds,
    }
    postgres = wanted.recorder or any(contender.server == "postgres" for contender in chosen(wanted))
    with open_house(append_only=wanted.append_only, postgres=postgres) as house:
        taking_part, result["versions"] = _taking_part(wanted, house, console)
        contest = Contest(house=house, console=console, taking_part=taking_part)
        contest.run(rounds, effort(wanted), wanted.patience)
        result |= {"figures": report.figures(contest.samples), "samples": contest.samples, "notes": contest.notes}
        if wanted.growth:
            console.print("growth ...")
            result["growth"] = extras.growth(house, wanted.jobs // 2, wanted.many, rounds)
        if wanted.recorder:
            console.print("recorder ...")
            result["recorder"] = extras.recorder(house, wanted.jobs)
    _publish(result, contest, wanted)


def _taking_part(wanted: argparse.Namespace, house: House, console: Console) -> tuple[list[Contender], dict[str, str]]:
    found: list[Contender] = []
    versions: dict[str, str] = {}
    for contender in chosen(wanted):
        problem, releases = house.prepare(contender)
        if problem:
            console.print(f"{contender.name} is left out: {problem}")
            continue
        found.append(contender)
        versions |= releases
    return found, versions


def _publish(result: dict[str, Any], contest: Contest, wanted: argparse.Namespace) -> None:
    text = report.markdown(result, contest.samples, contest.notes)
    Console(width=max(160, Console().width)).print(Markdown(text))
    whole = not (wanted.quick or wanted.only or wanted.no_table)
    output = wanted.output or (HERE if whole else None)
    if output is None:
        return
    output.mkdir(parents=True, exist_ok=True)
    (output / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    (output / "results.svg").write_text(chart.draw(contest.samples))
    if output == HERE:
        readme = HERE / "README.md"
        readme.write_text(report.published(readme.read_text(), text))


if __name__ == "__main__":
    main()
