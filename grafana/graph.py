"""A graph over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .colors import MEANINGS, fixed, queue_colors
from .panel import Panel
from .prom_query import PromQuery
from .query import Query


@dataclass(frozen=True, kw_only=True)
class Graph(Panel):
    """Lines over time.

    Parameters:
      queries: what is drawn.
      stacked: the areas stand on each other, their sum is the whole.
      bars: bars instead of lines, for what comes in single events.
      limit_line: draw the thresholds as lines.
      dashed: series that are drawn as a thin dashed line, such as an objective.
      reach: the scale reaches at least so far, so that nothing does not look like much.
      colors: series -> colour, beside those that queues, outcomes and states always have.
    """

    queries: tuple[Query, ...]
    stacked: bool = False
    bars: bool = False
    limit_line: bool = False
    dashed: tuple[str, ...] = ()
    reach: float | None = None
    colors: Mapping[str, str] = field(default_factory=dict)

    type = "timeseries"

    @property
    def asked(self) -> tuple[Query, ...]:
        """Its queries."""
        return self.queries

    def options(self) -> dict[str, Any]:
        """A list of names under it; the tooltip tells all values of a moment, the largest first."""
        return {
            "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }

    def field(self) -> dict[str, Any]:
        """How the lines are drawn."""
        # A name's own colour wherever it is seen; names of a statement are any, and neighbours must differ.
        named = any(isinstance(query, PromQuery) for query in self.queries)
        return {
            "color": {"mode": "palette-classic-by-name" if named else "palette-classic"},
            "custom": {
                "drawStyle": "bars" if self.bars else "line",
                "lineInterpolation": "linear",
                "lineWidth": 1,
                "fillOpacity": 60 if self.bars else 30 if self.stacked else 8,
                "gradientMode": "none",
                "showPoints": "never",
                "spanNulls": False,
                "stacking": {"mode": "normal" if self.stacked else "none", "group": "A"},
                "thresholdsStyle": {"mode": "dashed" if self.limit_line else "off"},
                "axisPlacement": "auto",
                "axisSoftMin": 0,
                **({} if self.reach is None else {"axisSoftMax": self.reach}),
                "scaleDistribution": {"type": "linear"},
                "hideFrom": {"legend": False, "tooltip": False, "viz": False},
            },
        }

    def overrides(self) -> list[dict[str, Any]]:
        """Colours that mean something, and dashed lines."""
        legends = {query.legend for query in self.queries if isinstance(query, PromQuery)}
        known = {"{{queue}}": queue_colors(), **MEANINGS}
        colors = {name: color for legend in legends & set(known) for name, color in known[legend].items()}
        colors |= self.colors
        return [*(fixed(name, color) for name, color in colors.items()), *map(_dashed, self.dashed)]


def _dashed(name: str) -> dict[str, Any]:
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [
            {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 6]}},
            {"id": "custom.fillOpacity", "value": 0},
            {"id": "custom.stacking", "value": {"mode": "none", "group": "B"}},
        ],
    }
