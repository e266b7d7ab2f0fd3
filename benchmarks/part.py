"""One part of the measurements with many tenants: its tables, its targets and all that was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from jobfleet.benchmarks.report import grid


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A figure that was to be reached."""

    title: str
    figure: float
    bound: float
    at_least: bool = False
    unit: str = "times"
    digits: int = 2

    def row(self) -> list[str]:
        """As a line of the table of targets."""
        kept = self.figure >= self.bound if self.at_least else self.figure <= self.bound
        bound = f"{'at least' if self.at_least else 'at most'} {self.bound:g} {self.unit}".rstrip()
        reached = f"{self.figure:.{self.digits}f} {self.unit}".rstrip()
        return [self.title, bound, reached, "yes" if kept else "**no**"]


@dataclass(kw_only=True)
class Part:
    """What one part found."""

    head: Sequence[str]
    rows: list[list[str]]
    goals: list[Goal] = field(default_factory=list)
    #: Every figure, for ``tenants.json``.
    data: dict[str, Any] = field(default_factory=dict)

    def markdown(self) -> str:
        """Its tables."""
        parts = [grid([*self.head], self.rows)]
        if self.goals:
            parts.append(grid(["", "target", "reached", "kept"], [goal.row() for goal in self.goals]))
        return "\n\n".join(parts)
