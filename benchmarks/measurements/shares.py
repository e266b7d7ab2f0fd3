"""How a fleet divides its threads among tenants who all have more to run than it can."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobfleet.benchmarks.contender import CONCURRENCY
from jobfleet.benchmarks.measurements.plans import WIDE, heavy, publish
from jobfleet.benchmarks.stage import Stage
from jobfleet.benchmarks.traffic import Run

#: Seconds of work before the window opens, in which the broker learns how long jobs take.
LEAD = 2.0
#: Seconds until the worker must have begun.
BOOT_SECONDS = 30.0
#: How much more is sent than would be a tenant's share of the window and what lies before and after it.
MARGIN = 1.5


@dataclass(frozen=True, slots=True)
class Claim:
    """What one tenant wants of the fleet."""

    #: Milliseconds of each of its jobs.
    ms: int
    weight: int = 1


def shares(stage: Stage, claims: Mapping[str, Claim], seconds: float) -> dict[str, float]:
    """Service of each tenant in a window, in seconds of worker threads: of the jobs that start in it.

    Raises:
      RuntimeError: a tenant ran out of jobs, or the worker does not work.
    """
    if len({claim.weight for claim in claims.values()}) > 1:
        publish(stage, WIDE, {tenant: heavy(claim.weight) for tenant, claim in claims.items()})
    total = sum(claim.weight for claim in claims.values())
    sent = {}
    for tenant, claim in claims.items():
        share = CONCURRENCY * claim.weight / total * (LEAD + seconds + 1)
        sent[tenant] = int(share * MARGIN * 1000 / claim.ms) + 2 * CONCURRENCY
        stage.sender.tell("flood", tenant, sent[tenant], claim.ms)
    stage.start(1)
    opened = _first_start(stage) + LEAD * 1e9
    time.sleep(LEAD + seconds)
    runs = [Run.of(*stamp) for stamp in stage.marks.stamps().items()]
    started = Counter(run.tenant for run in runs)
    if dry := [tenant for tenant in claims if started[tenant] >= sent[tenant]]:
        raise RuntimeError(f"{', '.join(dry)} ran out of jobs: what was measured is not how a full fleet is divided")
    service: Counter[str] = Counter()
    for run in runs:
        if opened <= run.started_ns < opened + seconds * 1e9:
            service[run.tenant] += run.ms
    return {tenant: service[tenant] / 1000 for tenant in claims}


def jain(service: Sequence[float]) -> float:
    """Jain's index: 1 when all have the same, 1/n when one has everything."""
    return sum(service) ** 2 / (len(service) * sum(value * value for value in service))


def farthest(service: Mapping[str, float], claims: Mapping[str, Claim]) -> float:
    """How far the share is from what its weight says, for the tenant for whom it is farthest; 0.05 is five percent."""
    all_service, weights = sum(service.values()), sum(claim.weight for claim in claims.values())
    return max(abs(service[tenant] / all_service / (claim.weight / weights) - 1) for tenant, claim in claims.items())


def _first_start(stage: Stage) -> int:
    deadline = time.monotonic() + BOOT_SECONDS
    while not (stamps := stage.marks.stamps()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the worker does not begin:\n{stage.log.read_text()[-2000:]}")
        time.sleep(0.01)
    return min(stamps.values())
