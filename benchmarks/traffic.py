"""Who sends when: tenants that send once a second, and noisy ones beside them.

Plans are drawn from a seed, so every contender and every noise gets the same moments and the same lengths.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

#: Seconds by which a tenant misses its own pace at the most.
JITTER = 0.1
#: Seconds between two bursts of one tenant, jobs of a burst, and their lengths in multiples of the others' jobs.
PAUSES = (1.0, 4.0)
BURST_JOBS = (5, 20, 100)
BURST_TIMES = (0.25, 1, 4, 20)

#: What is sent when: seconds from the start, the tenant, the milliseconds that each of its jobs takes.
Sends = list[tuple[float, str, list[int]]]


@dataclass(frozen=True, slots=True)
class Run:
    """One job's start, as its token and its stamp tell it."""

    tenant: str
    #: Milliseconds that it takes.
    ms: int
    #: When it was sent and when it started, ns since the epoch.
    sent_ns: int
    started_ns: int

    @classmethod
    def of(cls, token: str, started_ns: int) -> Run:
        """What a stamp tells."""
        tenant, ms, sent_ns = token.split(":")
        return cls(tenant, int(ms), int(sent_ns), started_ns)


def one_second(tenants: int, ms: int, seed: str) -> Sends:
    """Every tenant sends one job within a second, a second after its last one, give or take a tenth.

    When in the second is each tenant's own and has nothing to do with the others'.
    """
    pace, draw = random.Random("paces"), random.Random(seed)
    moments = [min(0.999, max(0.0, pace.random() + draw.uniform(-JITTER, JITTER))) for _ in range(tenants)]
    return sorted((moment, f"tenant-{number}", [ms]) for number, moment in enumerate(moments))


def bursts(tenants: int, seconds: float, ms: int, seed: str) -> Sends:
    """Bursts of few or many jobs of mixed length, from some tenants for some seconds."""
    draw = random.Random(seed)
    found: Sends = []
    for number in range(tenants):
        at = draw.uniform(0, PAUSES[0])
        while at < seconds:
            lengths = [round(ms * draw.choice(BURST_TIMES)) for _ in range(draw.choice(BURST_JOBS))]
            found.append((at, f"noisy-{number}", lengths))
            at += draw.uniform(*PAUSES)
    return sorted(found)
