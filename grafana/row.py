"""Panels under a heading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .panel import Panel

#: Grafana's grid.
WIDTH = 24


@dataclass(frozen=True)
class Row:
    """A heading and what is under it, from left to right, in as many lines as that takes."""

    title: str
    panels: tuple[Panel, ...]

    def places(self, top: int) -> Iterator[tuple[Panel, int, int]]:
        """Each panel with its place, x and y, under `top`."""
        x, y, tallest = 0, top, 0
        for panel in self.panels:
            if x + panel.width > WIDTH:
                x, y, tallest = 0, y + tallest, 0
            yield panel, x, y
            x, tallest = x + panel.width, max(tallest, panel.height)

    def heading(self, number: int, y: int) -> dict[str, Any]:
        """The heading as Grafana reads it."""
        place = {"x": 0, "y": y, "w": WIDTH, "h": 1}
        return {"id": number, "type": "row", "title": self.title, "collapsed": False, "gridPos": place, "panels": []}
