"""What was to be reached against Dramatiq in one run."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from jobfleet.benchmarks.columns import COLUMNS
from jobfleet.benchmarks.field import REFERENCE

#: Measured values of one contender, round by round.
Rounds = dict[str, list[float]]

OURS = "FairBroker"


@dataclass(frozen=True, kw_only=True)
class Target:
    """One bound, on a ratio to Dramatiq's figure or on our own figure."""

    column: str
    bound: float
    at_least: bool
    ratio: bool

    def reached(self, samples: dict[str, Rounds]) -> float | None:
        """The figure that the bound is for: the median of the rounds' ratios, or our own figure."""
        ours, reference = samples.get(OURS, {}), samples.get(REFERENCE, {})
        if not self.ratio:
            column = next(column for column in COLUMNS if column.key == self.column)
            return column.value(ours)
        pairs = list(zip(ours.get(self.column, []), reference.get(self.column, []), strict=False))
        return median(mine / other for mine, other in pairs) if pairs else None

    def text(self) -> str:
        """The bound in words."""
        return f"{'at least' if self.at_least else 'at most'} {self.bound:g}{' times' if self.ratio else ' ms'}"

    def kept(self, figure: float) -> bool:
        """Whether a figure keeps it."""
        return figure >= self.bound if self.at_least else figure <= self.bound


TARGETS = (
    Target(column="drain", bound=3.0, at_least=True, ratio=True),
    Target(column="single", bound=1.0, at_least=True, ratio=True),
    Target(column="bulk", bound=6.0, at_least=True, ratio=True),
    Target(column="fleet_us", bound=0.5, at_least=False, ratio=True),
    Target(column="pick_p50", bound=2.0, at_least=False, ratio=False),
    Target(column="late_p95", bound=10.0, at_least=False, ratio=False),
)
