"""A column of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .link import Link
from .prom_query import PromQuery
from .stat import mappings
from .thresholds import Thresholds


@dataclass(frozen=True, kw_only=True)
class Column:
    """How one column is filled and drawn.

    Parameters:
      title: what stands above it; for a table from SQL the column's name there.
      expr: PromQL with one value for each row; empty for a label, or a column of SQL.
      unit: as Grafana names it; empty for text.
      thresholds: colours its cells.
      bar: draw the value as a bar between 0 and 1.
      words: value -> (what is written instead, colour).
      width: pixels, None for what is left.
      hidden: asked for because of its labels alone.
    """

    title: str
    expr: str = ""
    unit: str = ""
    decimals: int | None = None
    thresholds: Thresholds | None = None
    bar: bool = False
    words: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    width: int | None = None
    hidden: bool = False

    @property
    def query(self) -> PromQuery:
        """What fills it."""
        return PromQuery(expr=self.expr, table=True)

    def override(self) -> dict[str, Any]:
        """How it is drawn, as Grafana reads it."""
        given: dict[str, Any] = {
            "unit": self.unit or None,
            "decimals": self.decimals,
            "thresholds": self.thresholds.build() if self.thresholds else None,
            "custom.cellOptions": self._cell(),
            "mappings": mappings(self.words) or None,
            "links": [link.build() for link in self.links] or None,
            "custom.width": self.width,
            "custom.align": "left" if self.words else None,
            **({"min": 0, "max": 1} if self.bar else {}),
        }
        properties = [{"id": name, "value": value} for name, value in given.items() if value is not None]
        return {"matcher": {"id": "byName", "options": self.title}, "properties": properties}

    def _cell(self) -> dict[str, Any] | None:
        if self.bar:
            return {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}
        if self.thresholds or self.words:
            return {"type": "color-background", "mode": "basic"}
        return None
