"""Puts a panel's questions to Prometheus and PostgreSQL, as Grafana would, and shapes the answers for the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import psycopg
import requests

from jobfleet.broker.errors import ConfigurationError
from jobfleet.pictures.interpolation import Interpolation
from jobfleet.pictures.sources import Sources

#: PostgreSQL's numbers of types -> what a column of it is to Grafana; any other is text.
KINDS = MappingProxyType(
    {
        **dict.fromkeys((20, 21, 23, 700, 701, 1700), "number"),
        **dict.fromkeys((1082, 1114, 1184), "time"),
        16: "boolean",
    }
)
#: Seconds that a question may take.
PATIENCE_SECONDS = 60.0


class Answers:
    """One dashboard's questions.

    Parameters:
      sources: whom to ask.
      interpolation: variables and macros of the dashboard.
      postgres: a connection to the job log.
    """

    def __init__(self, sources: Sources, interpolation: Interpolation, postgres: psycopg.Connection[Any]) -> None:
        self._sources = sources
        self._interpolation = interpolation
        self._postgres = postgres

    def of(self, panel: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The answers to all questions of a panel.

        Raises:
          ConfigurationError: a question is refused; says which, and why.
        """
        return [
            self._rows(target) if "rawSql" in target else self._series(panel, target)
            for target in panel.get("targets", ())
        ]

    def _series(self, panel: Mapping[str, Any], target: Mapping[str, Any]) -> dict[str, Any]:
        asked = self._interpolation
        expr = asked.promql(target["expr"])
        instant = bool(target.get("instant")) and not target.get("range")
        step = asked.step
        values: dict[str, Any] = {"query": expr}
        values |= (
            {"time": asked.end} if instant else {"start": _down(asked.start, step), "end": asked.end, "step": step}
        )
        path = "query" if instant else "query_range"
        reply = requests.post(f"{self._sources.prometheus_url}/api/v1/{path}", data=values, timeout=PATIENCE_SECONDS)
        body = reply.json()
        if body["status"] != "success":
            raise ConfigurationError(f"panel {panel['title']!r} asks {expr}: {body['error']}")
        return {
            "source": "prometheus",
            "refId": target["refId"],
            "legendFormat": target.get("legendFormat", "__auto"),
            "format": target.get("format", "time_series"),
            "instant": instant,
            "step": step * 1000,
            "expr": expr,
            "result": _vector(body["data"]),
        }

    def _rows(self, target: Mapping[str, Any]) -> dict[str, Any]:
        statement = self._interpolation.sql(target["rawSql"])
        cursor = self._postgres.execute(statement.encode())
        columns = [
            {"name": column.name, "type": _kind(column.name, column.type_code, target["format"])}
            for column in cursor.description or ()
        ]
        rows = [
            [_cell(value, column["type"]) for value, column in zip(row, columns, strict=True)]
            for row in cursor.fetchall()
        ]
        return {
            "source": "postgres",
            "refId": target["refId"],
            "format": target["format"],
            "columns": columns,
            "rows": rows,
        }


def _down(moment: float, step: float) -> float:
    """Points lie on multiples of the step, as Grafana aligns them."""
    return math.floor(moment / step) * step


def _vector(data: Mapping[str, Any]) -> Sequence[Any]:
    """A scalar is a series without labels."""
    if data["resultType"] == "scalar":
        return [{"metric": {}, "value": data["result"]}]
    result: Sequence[Any] = data["result"]
    return result


def _kind(name: str, type_code: int, form: str) -> str:
    # A time series may bring its moments as seconds since the epoch, as the macro $__timeGroup does.
    if form == "time_series" and name == "time":
        return "time"
    return KINDS.get(type_code, "string")


def _cell(value: Any, kind: str) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if kind == "time":
        return _milliseconds(value)
    return float(value) if kind == "number" else str(value)


def _milliseconds(value: float | Decimal | date) -> float:
    if isinstance(value, datetime):
        return value.timestamp() * 1000
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day).astimezone().timestamp() * 1000
    return float(value) * 1000
