"""A dashboard: rows of panels, and what is chosen above them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

from . import variable
from .link import TAG, dashboard_links
from .prom_query import PROMETHEUS
from .row import Row

#: What Grafana 11.0 writes; newer ones read it and bring it up to date.
SCHEMA_VERSION = 39

#: Alerts that fire, but the watchdog, which always does; also those that name no namespace.
FIRING = 'ALERTS{alertstate="firing", alertname=~"Jobfleet.+", alertname!="JobfleetWatchdog", namespace=~"$namespace|"'


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """One dashboard.

    Parameters:
      uid: fixed, since alerts and links name it.
      description: whom it helps with what.
      rows: from top to bottom.
      variables: what is chosen above it beside datasources and namespace.
      hours: how much of the past it shows at first.
    """

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[dict[str, Any], ...] = ()
    hours: int = 1

    def build(self) -> dict[str, Any]:
        """The dashboard as Grafana reads it."""
        return {
            "uid": self.uid,
            "id": None,
            "title": self.title,
            "description": self.description,
            "tags": [TAG],
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "editable": True,
            # One crosshair for all graphs: what happened at that moment elsewhere.
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": f"now-{self.hours}h", "to": "now"},
            "timepicker": {},
            "timezone": "browser",
            "weekStart": "",
            "fiscalYearStartMonth": 0,
            "liveNow": False,
            "links": dashboard_links(),
            "annotations": {"list": [_alerts(with_queue=any(chosen["name"] == "queue" for chosen in self.variables))]},
            "templating": {"list": [*variable.datasources(), variable.namespace(), *self.variables, variable.admin()]},
            "panels": self._panels(),
        }

    def _panels(self) -> list[dict[str, Any]]:
        numbers, y = count(1), 0
        panels: list[dict[str, Any]] = []
        for row in self.rows:
            panels.append(row.heading(next(numbers), y))
            panels += [panel.build(next(numbers), *place) for panel, *place in row.places(y + 1)]
            y = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
        return panels


def _alerts(*, with_queue: bool) -> dict[str, Any]:
    """Marks on every graph: from when to when which alert fired."""
    queue = ', queue=~"$queue|"' if with_queue else ""
    return {
        "name": "Alerts",
        "datasource": PROMETHEUS,
        "enable": True,
        "hide": False,
        "iconColor": "red",
        "expr": f"{FIRING}{queue}}}",
        "step": "30s",
        "titleFormat": "{{alertname}}",
        "textFormat": "{{severity}} {{queue}}",
        "tagKeys": "severity,queue",
        "useValueForTime": False,
    }
