"""Measures FairBroker beside other job systems, in one run and in alternation.

Every contender gets, in every round, a fresh server of its own and the same jobs; rounds begin with another contender each
time, and the table shows medians over rounds. What each column means is told in ``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markdown import Markdown

from jobfleet.benchmarks import chart, extras, machine, node, report
from jobfleet.benchmarks.contender import Contender
from jobfleet.benchmarks.field import FIELD
from jobfleet.benchmarks.measurements.recovery import recovery
from jobfleet.benchmarks.round import Effort, take_turn
from jobfleet.benchmarks.stage import House, stage
from jobfleet.benchmarks.targets import Rounds
from jobfleet.cli.embedded_postgres import EmbeddedPostgres

HERE = Path(__file__).resolve().parent

EPILOG = """examples:
  benchmarks/run.py                          FairBroker beside Dramatiq, about six minutes
  benchmarks/run.py --peers                  beside all others too, about half an hour
  benchmarks/run.py --quick --only FairBroker --only Dramatiq
                                             a look within a minute; nothing is published
  benchmarks/run.py --growth --recorder      what growing backlogs and recording cost as well

Close what else runs: two cores are shared by applications, workers and servers. Linux only."""


def arguments() -> argparse.Namespace:
    """What the user wants."""
    names = [contender.name for contender in FIELD]
    parser = argparse.ArgumentParser(
        prog="benchmarks/run.py",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--peers", action="store_true", help="also BullMQ, Huey, Taskiq, Celery and pgqueuer")
    parser.add_argument(
        "--only", action="append", choices=names, metavar="NAME", help=f"one of {', '.join(names)}; repeatable"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds in rotation (default 3)")
    parser.add_argument("--jobs", type=int, default=20_000, help="no-op jobs of a drain (default 20,000)")
    parser.add_argument("--quick", action="store_true", help="one round of few jobs, to see that all works")
    parser.add_argument(
        "--patience", type=float, default=90.0, help="seconds to wait for jobs of a killed worker (default 90)"
    )
    parser.add_argument("--growth", action="store_true", help="also the cost with many waiting and many tenants")
    parser.add_argument("--many", type=int, default=1_000_000, help="waiting jobs of --growth (default 1,000,000)")
    parser.add_argument("--recorder", action="store_true", help="also with the recorder and PostgreSQL at work")
    parser.add_argument("--append-only", action="store_true", help="let Redis write its append-only file")
    parser.add_argument("--no-table", action="store_true", help="only --growth and --recorder")
    parser.add_argument(
        "--output",
        type=Path,
        help="folder for results.json and results.svg (default: benchmarks/, when neither --quick nor --only is given)",
    )
    return parser.parse_args()


def main() -> None:
    """Run all that was asked for, and publish it."""
    wanted = arguments()
    console = Console(stderr=True, highlight=False)
    described = machine.describe()
    with ExitStack() as stack:
        house = _house(stack, wanted)
        taking_part, versions = _taking_part(wanted, house, console)
        samples, notes = ({}, {}) if wanted.no_table else _rounds(taking_part, house, wanted, console)
        result: dict[str, Any] = {
            "machine": described,
            "versions": versions,
            "command": shlex.join(["benchmarks/run.py", *sys.argv[1:]]),
            "rounds": 1 if wanted.quick else wanted.rounds,
            "figures": report.figures(samples),
            "samples": samples,
            "notes": notes,
        }
        if wanted.growth:
            console.print("growth ...")
            result["growth"] = extras.growth(house, wanted.jobs // 2, wanted.many, 1 if wanted.quick else 3)
        if wanted.recorder:
            console.print("recorder ...")
            result["recorder"] = extras.recorder(house, wanted.jobs)
    _publish(result, samples, notes, wanted)


def _house(stack: ExitStack, wanted: argparse.Namespace) -> House:
    directory = Path(
        stack.enter_context(tempfile.TemporaryDirectory(prefix="jobfleet-bench-", ignore_cleanup_errors=True))
    )
    # PostgreSQL runs as a user of its own when we are root.
    directory.chmod(0o755)
    house = House(directory=directory, node_modules=directory / "node", append_only=wanted.append_only)
    if wanted.recorder or any(contender.server == "postgres" for contender in _chosen(wanted)):
        house.postgres = EmbeddedPostgres(directory / "postgres")
        stack.enter_context(house.postgres)
        stack.callback(house.postgres.remove)
    return house


def _chosen(wanted: argparse.Namespace) -> list[Contender]:
    if wanted.only:
        return [contender for contender in FIELD if contender.name in wanted.only]
    return [contender for contender in FIELD if wanted.peers or not contender.peer]


def _taking_part(wanted: argparse.Namespace, house: House, console: Console) -> tuple[list[Contender], dict[str, str]]:
    found: list[Contender] = []
    versions: dict[str, str] = {}
    for contender in _chosen(wanted):
        problem = contender.missing()
        if contender.node and not problem:
            house.node_modules, problem = node.install(house.directory / "node")
        if problem:
            console.print(f"{contender.name} is left out: {problem}")
            continue
        found.append(contender)
        versions |= node.versions(house.node_modules) if contender.node else contender.versions()
    return found, versions


def _rounds(
    taking_part: list[Contender], house: House, wanted: argparse.Namespace, console: Console
) -> tuple[dict[str, Rounds], dict[str, dict[str, str]]]:
    effort = (
        Effort(jobs=3000, singles=1000, moments=10, idle_seconds=2.0)
        if wanted.quick
        else Effort(jobs=wanted.jobs, singles=wanted.jobs // 5, moments=40, idle_seconds=5.0)
    )
    samples: dict[str, Rounds] = {contender.name: {} for contender in taking_part}
    notes: dict[str, dict[str, str]] = {contender.name: {} for contender in taking_part}
    for number in range(1 if wanted.quick else wanted.rounds):
        shift = number % max(len(taking_part), 1)
        for contender in taking_part[shift:] + taking_part[:shift]:
            console.print(f"round {number + 1}: {contender.name} ...")
            for key, values in take_turn(contender, house, effort).items():
                samples[contender.name].setdefault(key, []).extend(values)
    for contender in taking_part:
        console.print(f"kill -9: {contender.name} ...")
        with stage(contender, house) as set_up:
            found = recovery(set_up, set_up.start(2, apart=True), 300 if wanted.quick else 900, wanted.patience)
        if found["recovery"] is None:
            notes[contender.name]["recovery"] = f"not in {wanted.patience:.0f} ({found['not_run']:.0f} missing)"
        else:
            samples[contender.name]["recovery"] = [found["recovery"]]
    return samples, notes


def _publish(
    result: dict[str, Any], samples: dict[str, Rounds], notes: dict[str, dict[str, str]], wanted: argparse.Namespace
) -> None:
    text = report.markdown(result, samples, notes)
    Console(width=max(160, Console().width)).print(Markdown(text))
    whole = not (wanted.quick or wanted.only or wanted.no_table)
    output = wanted.output or (HERE if whole else None)
    if output is None:
        return
    output.mkdir(parents=True, exist_ok=True)
    (output / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    (output / "results.svg").write_text(chart.draw(samples))
    if output == HERE:
        readme = HERE / "README.md"
        readme.write_text(report.published(readme.read_text(), text))


if __name__ == "__main__":
    main()
