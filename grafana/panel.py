"""A panel: what is asked, and how the answer is drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any, ClassVar

from .link import Link
from .query import Query
from .thresholds import PLAIN, Thresholds


@dataclass(frozen=True, kw_only=True)
class Panel(ABC):
    """What all panels have.

    Parameters:
      title: short; tells one panel from another within a dashboard.
      description: what is seen, and what to think of it.
      unit: as Grafana names it.
      width: of 24.
      height: in Grafana's rows of 38 pixels.
      decimals: digits after the point; None lets Grafana choose.
      links: from a value.
      least, most: the ends of the scale, where it has some.
    """

    title: str
    description: str
    unit: str
    width: int = 12
    height: int = 8
    thresholds: Thresholds = PLAIN
    decimals: int | None = None
    links: tuple[Link, ...] = ()
    least: float | None = None
    most: float | None = None

    #: Grafana's name for the way it is drawn.
    type: ClassVar[str]

    @property
    @abstractmethod
    def asked(self) -> Sequence[Query]:
        """Its queries, in order."""

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """What Grafana calls options: those of the whole panel."""

    def field(self) -> dict[str, Any]:
        """What each value has beside unit, thresholds and links."""
        return {}

    def overrides(self) -> list[dict[str, Any]]:
        """What single columns or series have of their own."""
        return []

    def transformations(self) -> list[dict[str, Any]]:
        """What becomes of the answers before they are drawn."""
        return []

    def build(self, number: int, x: int, y: int) -> dict[str, Any]:
        """The panel as Grafana reads it, at its place."""
        asked = self.asked
        return {
            "id": number,
            "type": self.type,
            "title": self.title,
            "description": self.description,
            "datasource": asked[0].datasource,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "targets": [query.build(ref) for query, ref in zip(asked, ascii_uppercase, strict=False)],
            "fieldConfig": {"defaults": self._defaults(), "overrides": self.overrides()},
            "options": self.options(),
            "transformations": self.transformations(),
        }

    def _defaults(self) -> dict[str, Any]:
        given = {"decimals": self.decimals, "min": self.least, "max": self.most}
        return {
            "unit": self.unit,
            "thresholds": self.thresholds.build(),
            "mappings": [],
            "links": [link.build() for link in self.links],
            **{name: value for name, value in given.items() if value is not None},
            **self.field(),
        }
