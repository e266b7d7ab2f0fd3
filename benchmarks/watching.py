"""A real monitor process beside a benchmark."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobfleet.benchmarks.stage import House
from jobfleet.cli.free_port import free_port

#: Seconds that a monitor gets to start.
START_SECONDS = 60.0


@contextmanager
def watching(redis_url: str, database_url: str, house: House) -> Iterator[str]:
    """A real monitor of the fleet; gives its address."""
    port = free_port()
    environment = {
        **os.environ,
        "REDIS_URL": redis_url,
        "DATABASE_URL": database_url,
        "JOBFLEET_HOME": str(house.directory / "home"),
        "JOBFLEET_CONFIG": str(house.directory / "jobfleet.toml"),
        "JOBFLEET_MONITOR_PORT": str(port),
    }
    log = Path(house.directory / "monitor.log")
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jobfleet.cli", "monitor"], env=environment, stdout=output, stderr=output
        )
    try:
        _await(process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _await(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "metrics at" not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the monitor did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)
