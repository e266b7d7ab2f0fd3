"""The dashboards as they are committed, and what their panels ask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from house import HOUSE

FOLDER = HOUSE / "grafana/dashboards"


@dataclass(frozen=True)
class Asked:
    """One question of one panel."""

    dashboard: str
    panel: str
    ref: str
    #: The question as Grafana reads it.
    target: Any

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.panel} ({self.ref})"

    @property
    def text(self) -> str:
        """Its PromQL or SQL."""
        return str(self.target.get("expr") or self.target["rawSql"])


@cache
def dashboards() -> dict[str, dict[str, Any]]:
    """All dashboards by the name of their file."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """All panels, without the headings of rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def all_panels() -> list[tuple[str, dict[str, Any]]]:
    """Dashboard and panel."""
    return [(name, panel) for name, dashboard in dashboards().items() for panel in panels(dashboard)]


def all_asked() -> list[Asked]:
    """All questions of all panels."""
    return [
        Asked(name, panel["title"], target["refId"], target)
        for name, panel in all_panels()
        for target in panel["targets"]
    ]


def asked(dashboard: str, panel: str, ref: str = "A") -> Asked:
    """One question."""
    (found,) = (one for one in all_asked() if (one.dashboard, one.panel, one.ref) == (dashboard, panel, ref))
    return found


def asked_by(dashboard: str, panel: str, column: str) -> Asked:
    """The question that fills a column of a table."""
    (organized,) = (
        step["options"]["renameByName"]
        for name, found in all_panels()
        if (name, found["title"]) == (dashboard, panel)
        for step in found["transformations"]
        if step["id"] == "organize"
    )
    (value,) = (name for name, title in organized.items() if title == column)
    return asked(dashboard, panel, value.rpartition("#")[2])


def links(dashboard: dict[str, Any]) -> Iterator[str]:
    """The addresses of all links, of values and of the dashboard."""
    yield from (link["url"] for link in dashboard["links"] if link["type"] == "link")
    for panel in panels(dashboard):
        yield from (link["url"] for link in panel["fieldConfig"]["defaults"]["links"])
        for override in panel["fieldConfig"]["overrides"]:
            for given in override["properties"]:
                if given["id"] == "links":
                    yield from (link["url"] for link in given["value"])
