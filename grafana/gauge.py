"""A dial: a number between the ends of its scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .panel import Panel
from .prom_query import PromQuery


@dataclass(frozen=True, kw_only=True)
class Gauge(Panel):
    """One dial with its thresholds.

    Parameters:
      query: one value.
    """

    query: PromQuery
    width: int = 4
    height: int = 4

    type = "gauge"

    @property
    def asked(self) -> tuple[PromQuery]:
        """The one query."""
        return (self.query,)

    def options(self) -> dict[str, Any]:
        """The last value that is known."""
        return {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "orientation": "auto",
            "showThresholdLabels": False,
            "showThresholdMarkers": True,
            "sizing": "auto",
            "minVizWidth": 75,
            "minVizHeight": 75,
        }

    def field(self) -> dict[str, Any]:
        """Coloured by thresholds."""
        return {"color": {"mode": "thresholds"}}
