"""What a fleet costs that has nothing to do."""

from __future__ import annotations

import time

from jobfleet.benchmarks.stage import Stage
from jobfleet.benchmarks.workers import Workers

#: Seconds that the fleet gets to calm down.
CALM_SECONDS = 2.0


def idle(stage: Stage, workers: Workers, seconds: float) -> dict[str, float]:
    """Watch an idle fleet: its memory, its CPU in percent of one core, the requests it makes per second."""
    time.sleep(CALM_SECONDS)
    cpu, trips, began = workers.cpu(), stage.server.trips(), time.perf_counter()
    time.sleep(seconds)
    passed = time.perf_counter() - began
    return {
        "memory_mb": workers.memory() / 1e6,
        "idle_cpu": (workers.cpu() - cpu) / passed * 100,
        "idle_trips": (stage.server.trips() - trips) / passed,
    }
