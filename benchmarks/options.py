"""What the user of the benchmark wants."""

from __future__ import annotations

import argparse
from pathlib import Path

from jobfleet.benchmarks.contender import Contender
from jobfleet.benchmarks.field import FIELD
from jobfleet.benchmarks.round import Effort

DESCRIPTION = """Measures FairBroker beside other job systems, in one run and in alternation.

Every contender gets, in every round, a fresh server of its own and the same jobs; rounds begin with another contender
each time, and the table shows medians over rounds. What each column means is told in benchmarks/README.md."""

EPILOG = """examples:
  benchmarks/run.py                          FairBroker beside Dramatiq, about six minutes
  benchmarks/run.py --peers                  beside all others too, about half an hour
  benchmarks/run.py --quick --only FairBroker --only Dramatiq
                                             a look within a minute; nothing is published
  benchmarks/run.py --growth --recorder      what growing backlogs and recording cost as well

Close what else runs: two cores are shared by applications, workers and servers. Linux only."""


def arguments() -> argparse.Namespace:
    """The command line, understood."""
    names = [contender.name for contender in FIELD]
    parser = argparse.ArgumentParser(
        prog="benchmarks/run.py",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    option = parser.add_argument
    option("--peers", action="store_true", help="also BullMQ, Huey, Taskiq, Celery and pgqueuer")
    option("--only", action="append", choices=names, metavar="NAME", help=f"one of {', '.join(names)}; repeatable")
    option("--rounds", type=int, default=3, help="rounds in rotation (default 3)")
    option("--jobs", type=int, default=20_000, help="no-op jobs of a drain (default 20,000)")
    option("--quick", action="store_true", help="one round of few jobs, to see that all works")
    option("--patience", type=float, default=90.0, help="seconds to wait for a killed worker's jobs (default 90)")
    option("--growth", action="store_true", help="also the cost with many waiting and many tenants")
    option("--many", type=int, default=1_000_000, help="waiting jobs of --growth (default 1,000,000)")
    option("--recorder", action="store_true", help="also with the recorder and PostgreSQL at work")
    option("--append-only", action="store_true", help="let Redis write its append-only file")
    option("--no-table", action="store_true", help="only --growth and --recorder")
    option(
        "--output",
        type=Path,
        help="folder for results.json and results.svg (default: benchmarks/ with the README's table, "
        "unless --quick, --only or --no-table is given)",
    )
    return parser.parse_args()


def chosen(wanted: argparse.Namespace) -> list[Contender]:
    """Who is to take part."""
    if wanted.no_table:
        return []
    if wanted.only:
        return [contender for contender in FIELD if contender.name in wanted.only]
    return [contender for contender in FIELD if wanted.peers or not contender.peer]


def effort(wanted: argparse.Namespace) -> Effort:
    """How much is measured in a round."""
    if wanted.quick:
        return Effort(jobs=3000, singles=1000, moments=10, idle_seconds=2.0)
    return Effort(jobs=wanted.jobs, singles=wanted.jobs // 5, moments=40, idle_seconds=5.0)
