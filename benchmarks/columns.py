"""The columns of the table: what was measured, in which unit, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, kw_only=True)
class Column:
    """One figure of every contender."""

    key: str
    title: str
    unit: str
    higher_is_better: bool = False
    digits: int = 0
    #: None for the median over rounds; else the percentile over the samples of all rounds.
    percentile: int | None = None
    #: Where the samples of a percentile are.
    samples: str = ""

    def value(self, rounds: dict[str, list[float]]) -> float | None:
        """The figure of one contender, None if it was not measured."""
        found = rounds.get(self.samples or self.key)
        if not found:
            return None
        return median(found) if self.percentile is None else percentile(found, self.percentile)

    def text(self, value: float | None) -> str:
        """The figure as it is shown."""
        return "-" if value is None else f"{value:,.{self.digits}f}"


def percentile(samples: list[float], percent: int) -> float:
    """The nearest sample at or above so many percent of them."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, -(-len(ordered) * percent // 100) - 1)]


COLUMNS = (
    Column(key="drain", title="no-op drain, 2 x 10", unit="jobs/s", higher_is_better=True),
    Column(key="drain_one", title="no-op drain, 1 x 10", unit="jobs/s", higher_is_better=True),
    Column(key="single", title="single send", unit="jobs/s", higher_is_better=True),
    Column(key="bulk", title="bulk send", unit="jobs/s", higher_is_better=True),
    Column(key="fleet_us", title="CPU of the fleet per job", unit="us"),
    Column(key="server_us", title="CPU of the server per job", unit="us"),
    Column(key="trips", title="round trips per job", unit="", digits=2),
    Column(key="pick_p50", title="idle pick-up p50", unit="ms", digits=1, percentile=50, samples="pick"),
    Column(key="pick_p95", title="idle pick-up p95", unit="ms", digits=1, percentile=95, samples="pick"),
    Column(key="late_p50", title="lateness of a 1 s delay p50", unit="ms", digits=1, percentile=50, samples="late"),
    Column(key="late_p95", title="lateness of a 1 s delay p95", unit="ms", digits=1, percentile=95, samples="late"),
    Column(key="memory_mb", title="idle memory, 2 processes", unit="MB", digits=0),
    Column(key="idle_cpu", title="idle CPU, 2 processes", unit="% of a core", digits=1),
    Column(key="idle_trips", title="idle round trips", unit="1/s", digits=1),
    Column(key="recovery", title="all jobs run after kill -9", unit="s", digits=1),
)
