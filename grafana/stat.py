"""A number to be read from across the room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .panel import Panel
from .query import Query


@dataclass(frozen=True, kw_only=True)
class Stat(Panel):
    """One large number for each series, its last value.

    Parameters:
      queries: one series each, or one by a label.
      alarming: the whole panel takes the colour of the threshold, not only the number.
      spark: draw how the value came about under it.
      words: value -> (what is written instead, colour).
      named: write the series' names too; needed where there are several.
      called: write the names alone.
    """

    queries: tuple[Query, ...]
    alarming: bool = False
    spark: bool = False
    words: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    named: bool = False
    called: bool = False
    width: int = 4
    height: int = 5

    type = "stat"

    @property
    def asked(self) -> tuple[Query, ...]:
        """Its queries."""
        return self.queries

    def options(self) -> dict[str, Any]:
        """The last value that is known, as large as fits."""
        return {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "background" if self.alarming else "value",
            "graphMode": "area" if self.spark else "none",
            "textMode": "name" if self.called else "value_and_name" if self.named else "value",
            "justifyMode": "center",
            "orientation": "auto",
            "wideLayout": True,
            "showPercentChange": False,
            "percentChangeColorMode": "standard",
        }

    def field(self) -> dict[str, Any]:
        """Words instead of numbers, where there are some."""
        return {"color": {"mode": "thresholds"}, "mappings": mappings(self.words)}


def mappings(words: Mapping[int, tuple[str, str]]) -> list[dict[str, Any]]:
    """What is written instead of a value, as Grafana reads it."""
    options = {
        str(value): {"text": text, "color": color, "index": place}
        for place, (value, (text, color)) in enumerate(words.items())
    }
    return [{"type": "value", "options": options}] if options else []
