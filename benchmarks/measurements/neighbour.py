"""How long tenants wait that send one job a second each, while others make noise.

1. The workers run; the tenants begin to send, so that the noise does not find an idle fleet and take all of it. It is
   sent beside them by another process.
2. When all of a flood is in, and some seconds later, the window opens: each job that the tenants send in it counts.
3. A job's wait is from just before its send to its first line. One that has not started when patience ends has
   waited for at least so long.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from jobfleet.benchmarks.ideal import Ideal
from jobfleet.benchmarks.measurements.plans import WIDE, narrow, publish
from jobfleet.benchmarks.scenes import Scene, Size
from jobfleet.benchmarks.sender import Sender
from jobfleet.benchmarks.stage import Stage
from jobfleet.benchmarks.traffic import Run, bursts, one_second

#: Seconds that jobs of the window get to start after it.
PATIENCE = 5.0


@dataclass(kw_only=True)
class Visitors:
    """The tenants, one second after the other."""

    sender: Sender
    tenants: int
    ms: int
    next_ns: int = field(default_factory=time.time_ns)

    def second(self, seed: str) -> list[str]:
        """One second of theirs; returns the tokens of what they sent."""
        begin, self.next_ns = self.next_ns, self.next_ns + 1_000_000_000
        answer = self.sender.tell("visits", begin, one_second(self.tenants, self.ms, seed))
        return [str(token) for token in answer.result]


def neighbour(stage: Stage, scene: Scene, size: Size) -> dict[str, Any]:
    """Let one scene play; returns waits in ms, how many never started, the load, and the noisy jobs that started."""
    if scene.at_once:
        noisy_tenants = [f"noisy-{number}" for number in range(scene.bursting or 1)]
        publish(stage, WIDE, dict.fromkeys(noisy_tenants, narrow(scene.at_once)))
    stage.start(scene.processes, threads=scene.threads)
    stage.warm(scene.processes)
    with (
        Sender(stage.contender.command("sender"), stage.environment, stage.log) as noisy,
        ThreadPoolExecutor(1) as beside,
    ):
        # Their clock runs from here: what the other application's start took would be sent all at once.
        visitors = Visitors(sender=stage.sender, tenants=size.tenants, ms=scene.visit_ms(size))
        for number in range(size.before):
            visitors.second(f"before-{number}")
        noise = beside.submit(_noise_of(scene, size, noisy, visitors.next_ns))
        _lead_in(visitors, noise if scene.flood_times else None, size)
        opened = visitors.next_ns
        tokens = [token for number in range(size.seconds) for token in visitors.second(f"second-{number}")]
        noise.result()
        stamps = stage.marks.wait_for(set(tokens), PATIENCE)
        looked = time.time_ns()
    found = [Run.of(token, stamps.get(token, looked)) for token in tokens]
    counted = [
        run for run in (Run.of(*stamp) for stamp in stamps.items()) if opened <= run.started_ns < visitors.next_ns
    ]
    return {
        "waits": [(run.started_ns - run.sent_ns) / 1e6 for run in found],
        "not_started": len(set(tokens) - stamps.keys()),
        "load": sum(run.ms for run in counted) / (size.seconds * 1000 * scene.all_threads),
        "noisy": sum(not run.tenant.startswith("tenant-") for run in counted),
        "ideal": ideal_waits(scene, size),
    }


def ideal_waits(scene: Scene, size: Size) -> list[float]:
    """The least that these very jobs would have to wait, in ms."""
    ms, lead = scene.visit_ms(size), size.before + size.lead
    seconds = [f"before-{number}" for number in range(size.before)]
    seconds += [f"lead-{number}" for number in range(size.lead)]
    seconds += [f"second-{number}" for number in range(size.seconds)]
    moments = [at + begin for begin, seed in enumerate(seconds) for at, _, _ in one_second(size.tenants, ms, seed)]
    waits = Ideal(scene.all_threads, _noisy_jobs(scene, size), scene.all_at_once).waits(moments, ms / 1000)
    return [wait * 1000 for wait in waits[lead * size.tenants :]]


def _lead_in(visitors: Visitors, noise: Future[object] | None, size: Size) -> None:
    """Send until the noise is as loud as it gets."""
    number, until = 0, size.lead
    while number < until:
        visitors.second(f"lead-{number}")
        number += 1
        if noise is not None and not noise.done():
            until = max(until, number + 1 + size.settled)


def _noise_of(scene: Scene, size: Size, noisy: Sender, begin_ns: int) -> Callable[[], object]:
    if scene.flood_times:
        return lambda: noisy.tell("flood", "noisy-0", size.flood_of(scene), scene.visit_ms(size) * scene.flood_times)
    if scene.bursting:
        return lambda: noisy.tell("bursts", begin_ns, _bursts(scene, size))
    return lambda: None


def _bursts(scene: Scene, size: Size) -> list[tuple[float, str, list[int]]]:
    return bursts(scene.bursting, size.lead + size.seconds, scene.visit_ms(size), "bursts")


def _noisy_jobs(scene: Scene, size: Size) -> list[tuple[float, float]]:
    if scene.flood_times:
        return [(float(size.before), scene.visit_ms(size) * scene.flood_times / 1000)] * size.flood_of(scene)
    return [(size.before + at, ms / 1000) for at, _, lengths in _bursts(scene, size) for ms in lengths]
