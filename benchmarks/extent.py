"""How much the measurements with many tenants send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Console

from jobfleet.benchmarks.scenes import Size
from jobfleet.benchmarks.stage import House


@dataclass(frozen=True, kw_only=True)
class Extent:
    """All sizes of a run; those of a full one by default."""

    rounds: int = 2
    scene: Size = field(default_factory=Size)
    #: Seconds in which shares are counted.
    share_seconds: float = 12.0
    #: No-op jobs of a drain.
    jobs: int = 15_000
    #: No-op jobs that run while the cost of one is counted; a quarter of them left a tenth to chance.
    growth_jobs: int = 40_000
    #: Tenants in line where there are many, and tenants at their limit.
    tenants: int = 10_000
    parked: int = 1_000

    @classmethod
    def scaled(cls, scale: float, rounds: int) -> Extent:
        """Everything smaller, down to what still measures something; the tenants stay fifty."""
        full = cls()

        def some(number: float, least: int) -> int:
            return max(least, round(number * scale))

        size = Size(
            flood=some(full.scene.flood, 200),
            dramatiq_flood=some(full.scene.dramatiq_flood, 200),
            before=some(full.scene.before, 1),
            seconds=some(full.scene.seconds, 1),
            lead=some(full.scene.lead, 1),
            settled=some(full.scene.settled, 1),
        )
        return cls(
            rounds=rounds,
            scene=size,
            share_seconds=max(1.0, full.share_seconds * scale),
            jobs=some(full.jobs, 4000),
            growth_jobs=some(full.growth_jobs, 1000),
            tenants=some(full.tenants, 20),
            parked=some(full.parked, 10),
        )


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where a part is measured, how much, and where it tells of its progress."""

    house: House
    extent: Extent
    console: Console

    def rotation(self, items: list[str], measure: Callable[[str], None], rounds: int) -> None:
        """Measure everything in every round, each round beginning with another one."""
        for number in range(rounds):
            shift = number % max(len(items), 1)
            for name in items[shift:] + items[:shift]:
                self.console.print(f"round {number + 1}: {name} ...")
                measure(name)
