"""Bars that fill up: how far each of several is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .panel import Panel
from .query import Query


@dataclass(frozen=True, kw_only=True)
class Levels(Panel):
    """A bar for each series, filled by its last value; or for each row of a statement: a name and a number.

    Parameters:
      query: one value by a label, or rows.
      rows: whether it gives rows.
    """

    query: Query
    rows: bool = False
    width: int = 8

    type = "bargauge"

    @property
    def asked(self) -> tuple[Query]:
        """The one query."""
        return (self.query,)

    def options(self) -> dict[str, Any]:
        """Lying, in the colour of the threshold."""
        return {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": self.rows},
            "orientation": "horizontal",
            "displayMode": "basic",
            "valueMode": "color",
            "namePlacement": "auto",
            "showUnfilled": True,
            "sizing": "auto",
            "minVizWidth": 8,
            "minVizHeight": 12,
            "maxVizHeight": 300,
            "legend": {"showLegend": False, "displayMode": "list", "placement": "bottom", "calcs": []},
        }

    def field(self) -> dict[str, Any]:
        """Coloured by thresholds."""
        return {"color": {"mode": "thresholds"}}
