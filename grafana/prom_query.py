"""A question to Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: The dashboard's variable of this name says which Prometheus it is.
PROMETHEUS = {"type": "prometheus", "uid": "${prometheus}"}


@dataclass(frozen=True, kw_only=True)
class PromQuery:
    """A question to Prometheus.

    Parameters:
      expr: PromQL.
      legend: name of a series, with labels as ``{{queue}}``.
      instant: ask for the last moment only, not for each of the range.
      table: the same, with a column for each label.
    """

    expr: str
    legend: str = ""
    instant: bool = False
    table: bool = False

    @property
    def datasource(self) -> dict[str, str]:
        """Whom to ask."""
        return PROMETHEUS

    def build(self, ref: str) -> dict[str, Any]:
        """The target as Grafana reads it."""
        return {
            "refId": ref,
            "datasource": PROMETHEUS,
            "editorMode": "code",
            "expr": self.expr,
            "legendFormat": self.legend or "__auto",
            "format": "table" if self.table else "time_series",
            "instant": self.instant or self.table,
            "range": not (self.instant or self.table),
        }
