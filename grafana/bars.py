"""Bars side by side: who has most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .panel import Panel
from .sql_query import SqlQuery


@dataclass(frozen=True, kw_only=True)
class Bars(Panel):
    """A horizontal bar for each row of a statement.

    Parameters:
      statement: a text column, then numbers, the longest bar first.
      across: the text column.
    """

    statement: SqlQuery
    across: str
    width: int = 8

    type = "barchart"

    @property
    def asked(self) -> tuple[SqlQuery]:
        """The statement."""
        return (self.statement,)

    def options(self) -> dict[str, Any]:
        """Lying, with the value at each bar."""
        return {
            "orientation": "horizontal",
            "xField": self.across,
            "showValue": "auto",
            "stacking": "none",
            "groupWidth": 0.7,
            "barWidth": 0.9,
            "barRadius": 0,
            "fullHighlight": False,
            "legend": {"showLegend": False, "displayMode": "list", "placement": "bottom", "calcs": []},
            "tooltip": {"mode": "single", "sort": "none"},
        }

    def field(self) -> dict[str, Any]:
        """One colour; lengths are to be compared."""
        return {
            "color": {"mode": "fixed", "fixedColor": "blue"},
            "custom": {
                "lineWidth": 0,
                "fillOpacity": 70,
                "gradientMode": "none",
                "axisPlacement": "auto",
                "scaleDistribution": {"type": "linear"},
                "hideFrom": {"legend": False, "tooltip": False, "viz": False},
            },
        }
