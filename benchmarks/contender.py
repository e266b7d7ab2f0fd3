"""What takes part in a benchmark."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

#: Jobs that one worker process runs at once.
CONCURRENCY = 10

#: The variable that names what a contender has switched on.
FEATURES = "BENCH_FEATURES"

#: The variable that tells a worker process how many jobs to run at once, where the contender's file reads it.
THREADS = "BENCH_THREADS"

#: Where the contenders' own files are.
DIRECTORY = Path(__file__).resolve().parent / "contenders"


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One job system, configured as its documentation says; how is told by its file in ``contenders/``."""

    #: As it is called in the table.
    name: str
    #: Its file's name without the ending.
    module: str
    #: What must be installed, and is named with its version in the results.
    distributions: tuple[str, ...]
    server: Literal["redis", "postgres"] = "redis"
    #: Whether it is measured only when peers are asked for.
    peer: bool = True
    #: Whether its own command starts several worker processes; otherwise the command is started several times.
    spawns: bool = False
    #: Whether a job can be sent with a delay without a further process.
    delays: bool = True
    #: Whether it runs on Node.js.
    node: bool = False
    #: What it has switched on, where its file leaves a choice.
    features: tuple[str, ...] = ()

    def missing(self) -> str:
        """What keeps it from taking part, empty when nothing does."""
        if self.node:
            return "" if shutil.which("node") and shutil.which("npm") else "node and npm are not installed"
        lacking = [name for name in self.distributions if _version(name) is None]
        return f"{' and '.join(lacking)} not installed (pip install '.[bench]')" if lacking else ""

    def versions(self) -> dict[str, str]:
        """The releases of its distributions."""
        return {name: _version(name) or "?" for name in self.distributions}

    def command(self, role: Literal["worker", "sender"], processes: int = 1) -> list[str]:
        """The program of one role; a worker's runs `processes` processes if the contender can."""
        if self.node:
            return ["node", str(DIRECTORY / f"{self.module}.cjs"), role, str(CONCURRENCY)]
        program = ["-m", "jobfleet.benchmarks.become", self.module, role, str(processes)]
        return [sys.executable, *program]

    def environment(self, url: str, marks: Path, node_modules: Path) -> dict[str, str]:
        """What its processes get to see."""
        own = {"BENCH_URL": url, "BENCH_MARKS": str(marks), FEATURES: " ".join(self.features)}
        return {**os.environ, **own, "NODE_PATH": str(node_modules)}


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
