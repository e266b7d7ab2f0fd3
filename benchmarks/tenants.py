"""The benchmarks with many tenants: ``python benchmarks/tenants.py --help``.

1. ``neighbour``: what those who send little wait for while others flood the fleet.
2. ``shares``: how evenly a full fleet is divided, and by weights.
3. ``growth``: what a job costs with limits on, with many tenants in line and many at their limit.
4. ``features``: what each feature costs, and all together beside others with nothing on.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from jobfleet.benchmarks import machine, sections
from jobfleet.benchmarks.extent import Extent, Setting
from jobfleet.benchmarks.part import Part
from jobfleet.benchmarks.parts import features, growth, neighbour, shares
from jobfleet.benchmarks.run import QUIET_LOAD
from jobfleet.benchmarks.stage import open_house

HERE = Path(__file__).resolve().parent

PARTS: dict[str, Callable[[Setting], Part]] = {
    "neighbour": neighbour.measure,
    "shares": shares.measure,
    "growth": growth.measure,
    "features": features.measure,
}

EPILOG = """examples:
  benchmarks/tenants.py                       all four parts, about a quarter of an hour
  benchmarks/tenants.py neighbour shares      two of them
  benchmarks/tenants.py --scale 0.01          a look at all within two minutes; nothing is published

Close what else runs: two cores are shared by applications, workers and servers. Linux only."""


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line, understood."""
    parser = argparse.ArgumentParser(
        prog="benchmarks/tenants.py",
        description="Measures what one tenant's load does to others, and what limits and fairness cost.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    option = parser.add_argument
    option("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all without one")
    option("--scale", type=float, default=1.0, help="share of the full sizes (default 1); below 1 nothing is published")
    option("--rounds", type=int, default=2, help="rounds in rotation of growth and features (default 2)")
    option("--output", type=Path, help="folder for tenants.json (default: benchmarks/ with the README's tables)")
    wanted = parser.parse_args(given)
    if unknown := set(wanted.parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return wanted


def main(given: list[str] | None = None) -> None:
    """Measure the parts that were asked for, and publish each as soon as it is there."""
    wanted = arguments(given)
    console = Console(stderr=True, highlight=False)
    if (load := os.getloadavg()[0]) > QUIET_LOAD:
        console.print(f"The machine is busy (load {load:.1f}): figures and ratios will suffer.")
    chosen = [name for name in PARTS if not wanted.parts or name in wanted.parts]
    extent = Extent.scaled(wanted.scale, wanted.rounds)
    command = shlex.join(["benchmarks/tenants.py", *(sys.argv[1:] if given is None else given)])
    folder = wanted.output or (HERE if wanted.scale >= 1 else None)
    failed: list[str] = []
    with open_house(postgres="features" in chosen) as house:
        for name in chosen:
            console.print(f"{name} ...")
            described, began = machine.describe(), time.perf_counter()
            try:
                part = PARTS[name](Setting(house=house, extent=extent, console=console))
            except (RuntimeError, OSError) as error:
                console.print(f"{name} was not measured: {error}")
                failed.append(name)
                continue
            about = {"machine": described, "command": command, "took_s": time.perf_counter() - began}
            text = f"{sections.told(about)}\n\n{part.markdown()}"
            Console(width=max(200, Console().width)).print(Markdown(text))
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                sections.publish(folder, name, about, part)
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()
