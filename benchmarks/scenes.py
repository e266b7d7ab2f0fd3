"""The scenes of the noisy neighbour: who makes which noise beside the tenants that are measured."""

from __future__ import annotations

from dataclasses import dataclass

from jobfleet.benchmarks.contender import CONCURRENCY, Contender

FAIR = Contender(name="FairBroker", module="fair_visits", distributions=("dramatiq", "redis"), peer=False, spawns=True)
DRAMATIQ = Contender(
    name="Dramatiq", module="dramatiq_visits", distributions=("dramatiq", "redis"), peer=False, spawns=True
)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One noise, heard by one fleet."""

    noise: str
    contender: Contender = FAIR
    #: Worker processes, and threads of each.
    processes: int = 1
    threads: int = CONCURRENCY
    #: How many times as long as the others' the jobs of a flood take; 0 for no flood.
    flood_times: int = 0
    #: Tenants that send bursts.
    bursting: int = 0
    #: Jobs of each noisy tenant that its plan lets run at once, 0 for no limits.
    at_once: int = 0

    @property
    def noisy(self) -> bool:
        """Whether there is any noise."""
        return bool(self.flood_times or self.bursting)

    @property
    def all_at_once(self) -> int:
        """Noisy jobs that plans let run at once, 0 for no limits."""
        return self.at_once * (self.bursting or 1)

    @property
    def all_threads(self) -> int:
        """Threads of the whole fleet, each with one job at a time."""
        return self.processes * self.threads

    @property
    def fleet(self) -> tuple[str, int, int]:
        """What scenes must have in common to be compared."""
        return self.contender.name, self.processes, self.threads

    def visit_ms(self, size: Size) -> int:
        """How long a job of the quiet tenants takes, so that they alone load the fleet as is wanted."""
        return round(size.load * 1000 * self.all_threads / size.tenants)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is sent."""

    #: Jobs of a flood that wait.
    flood: int = 100_000
    #: The same for Dramatiq, whose sends are single; as many already wait for longer than the scene lasts.
    dramatiq_flood: int = 10_000
    #: Quiet tenants, each with a job a second.
    tenants: int = 50
    #: Share of the fleet's threads that their jobs keep busy.
    load: float = 0.8
    #: Seconds of sends before the noise begins.
    before: int = 2
    #: Seconds of the window; of sends with noise before it at the least, and after the last of a flood is in.
    seconds: int = 20
    lead: int = 5
    settled: int = 3

    def flood_of(self, scene: Scene) -> int:
        """Jobs of a scene's flood."""
        return min(self.flood, self.dramatiq_flood) if scene.contender is DRAMATIQ else self.flood


#: Threads of the small fleet: with so few one is seldom free without a flood either, so a fair order can keep the bound.
FEW = 2

SCENES = (
    Scene(noise="none", threads=FEW),
    Scene(noise="a flood", threads=FEW, flood_times=1),
    Scene(noise="a flood of jobs 20 times as long", threads=FEW, flood_times=20),
    Scene(noise="bursts of mixed length from 3", threads=FEW, bursting=3),
    Scene(noise="none"),
    Scene(noise="a flood", flood_times=1),
    Scene(noise="a flood of jobs 20 times as long, on a plan of 1 at once", flood_times=20, at_once=1),
    Scene(noise="none", processes=5),
    Scene(noise="a flood of jobs 20 times as long, on a plan of 2 at once", processes=5, flood_times=20, at_once=2),
    Scene(noise="bursts of mixed length from 3, on a plan of 1 at once", processes=5, bursting=3, at_once=1),
    Scene(noise="none", contender=DRAMATIQ, threads=FEW),
    Scene(noise="a flood", contender=DRAMATIQ, threads=FEW, flood_times=1),
)
