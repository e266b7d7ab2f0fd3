"""How fast a fleet empties a full queue, and what a job costs then."""

from __future__ import annotations

import time
from dataclasses import dataclass

from jobfleet.benchmarks.stage import Stage
from jobfleet.benchmarks.workers import Workers

#: Seconds between two looks.
LOOK_SECONDS = 0.004
#: Seconds without any progress after which a drain is given up.
PATIENCE = 30.0


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What was so at one moment of a drain."""

    at: float
    done: int
    fleet_cpu: float
    server_cpu: float
    trips: int


def drain(stage: Stage, workers: Workers, jobs: int, processes: int) -> dict[str, float]:
    """Watch workers run `jobs` jobs; what happens between 10% (all processes work) and 90% counts.

    Returns:
      rate per second; CPU of the fleet and of the server and round trips, per job.
    """
    first = _wait_until(stage, workers, jobs // 10, processes)
    last = _wait_until(stage, workers, jobs * 9 // 10, 0)
    _wait_until(stage, workers, jobs, 0)
    done = last.done - first.done
    return {
        "rate": done / (last.at - first.at),
        "fleet_us": (last.fleet_cpu - first.fleet_cpu) / done * 1e6,
        "server_us": (last.server_cpu - first.server_cpu) / done * 1e6,
        "trips": (last.trips - first.trips) / done,
    }


def _wait_until(stage: Stage, workers: Workers, jobs: int, processes: int) -> Moment:
    seen, changed = 0, time.monotonic()
    while True:
        counts = stage.marks.counts()
        done = sum(counts.values())
        if done >= jobs and sum(count > 0 for count in counts.values()) >= processes:
            return Moment(
                at=time.perf_counter(),
                done=done,
                fleet_cpu=workers.cpu(),
                server_cpu=stage.server.cpu(),
                trips=stage.server.trips(),
            )
        if done > seen:
            seen, changed = done, time.monotonic()
        if time.monotonic() - changed > PATIENCE or not workers.alive():
            raise RuntimeError(f"{done} of {jobs} jobs have run, then none:\n{stage.log.read_text()[-2000:]}")
        time.sleep(LOOK_SECONDS)
