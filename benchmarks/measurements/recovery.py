"""What becomes of the jobs of a worker process that is killed."""

from __future__ import annotations

import time

from jobfleet.benchmarks.stage import Stage
from jobfleet.benchmarks.workers import Workers

#: Seconds until the fleet must have begun to run jobs.
BOOT_SECONDS = 30.0
#: Seconds between two looks.
LOOK_SECONDS = 0.01


def recovery(stage: Stage, workers: Workers, jobs: int, patience: float) -> dict[str, float | None]:
    """Kill one of two worker processes when a third of its jobs of 50 ms have run.

    Returns:
      seconds from the kill until all jobs have run, None if they have not within `patience`; how many never ran.
    """
    tokens = [f"nap-{index}" for index in range(jobs)]
    stage.sender.tell("naps", tokens)
    deadline = time.monotonic() + BOOT_SECONDS
    while len(stage.marks.stamping()) < 2 or len(stage.marks.stamps()) < jobs // 3:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the two workers do not share the jobs:\n{stage.log.read_text()[-2000:]}")
        time.sleep(LOOK_SECONDS)
    killed = time.time_ns()
    workers.kill_last()
    found = stage.marks.wait_for(set(tokens), patience)
    missing = len(set(tokens) - found.keys())
    return {"recovery": None if missing else (max(found.values()) - killed) / 1e9, "not_run": missing}
