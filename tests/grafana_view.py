"""Asks a panel's questions as Grafana does: macros and variables filled in, to the datasource's own interface."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from dashboards import Asked
from http_client import Client
from psycopg.rows import dict_row

#: A variable: $name, ${name} or ${name:format}; a $ that ends a pattern is none.
VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::(\w+))?\})")
#: A macro of the PostgreSQL datasource with what it is given.
MACRO = re.compile(r"\$__(timeFilter|timeGroupAlias)\(([^(),]+)(?:, *([^()]+))?\)")

#: Seconds between two points of a graph, and the shortest window in which two scrapes surely are.
STEP = 1
RATE_INTERVAL = 10

#: What a person has chosen who has chosen nothing.
ALL: Mapping[str, str | list[str]] = {"namespace": ".*", "queue": ".*", "plan": ".*", "tenant": "", "admin": "x"}


@dataclass(frozen=True)
class View:
    """A dashboard as somebody looks at it.

    Parameters:
      prometheus: who is asked.
      database_url: which PostgreSQL is asked.
      start, end: the chosen time, seconds since the epoch.
      chosen: values of variables; those of ALL for all others.
    """

    prometheus: Client
    database_url: str
    start: float
    end: float
    chosen: Mapping[str, str | list[str]] = field(default_factory=dict)

    def answer(self, asked: Asked) -> list[Any]:
        """The rows or series that the datasource answers, empty ones left out."""
        if "rawSql" in asked.target:
            return self._rows(asked.text)
        return self.series(asked.text) if asked.target["instant"] else self._over_time(asked.text)

    def value(self, asked: Asked) -> float:
        """The one number of a panel that shows one: its last."""
        if asked.target["instant"]:
            ((_, number),) = self.values(asked)
            return number
        (series,) = self.answer(asked)
        return float(series["values"][-1][1])

    def values(self, asked: Asked, *labels: str) -> list[tuple[tuple[str, ...], float]]:
        """The last number of each series, by the given labels."""
        found = self.series(asked.text)
        return [(tuple(one["metric"].get(name, "") for name in labels), float(one["value"][1])) for one in found]

    def series(self, expr: str) -> list[Any]:
        """PromQL at the last moment."""
        return self._prometheus("query", query=self.filled(expr), time=str(self.end))

    def _over_time(self, expr: str) -> list[Any]:
        times = {"start": str(self.start), "end": str(self.end), "step": str(STEP)}
        found = self._prometheus("query_range", query=self.filled(expr), **times)
        return [one for one in found if any(value != "NaN" for _, value in one["values"])]

    def _prometheus(self, path: str, **form: str) -> list[Any]:
        answered = self.prometheus.post(f"/api/v1/{path}", data=form).json()
        assert answered["status"] == "success", f"{answered.get('error')}: {form['query']}"
        return list(answered["data"]["result"])

    def _rows(self, statement: str) -> list[Any]:
        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            return connection.execute(self.filled(statement).encode()).fetchall()

    def filled(self, text: str) -> str:
        """With macros and variables replaced, all of them."""
        return VARIABLE.sub(self._variable, MACRO.sub(self._macro, text))

    def _macro(self, found: re.Match[str]) -> str:
        name, column, interval = found.groups()
        if name == "timeFilter":
            first, last = (datetime.fromtimestamp(moment, UTC).isoformat() for moment in (self.start, self.end))
            return f"{column} BETWEEN '{first}' AND '{last}'"
        assert interval == "$__interval"
        return f'floor(extract(epoch FROM {column}) / {STEP}) * {STEP} AS "time"'

    def _variable(self, found: re.Match[str]) -> str:
        name, wanted = found[1] or found[2], found[3]
        built_in = {
            "__rate_interval": f"{RATE_INTERVAL}s",
            "__interval": f"{STEP}s",
            "__range": f"{round(self.end - self.start)}s",
        }
        if name in built_in:
            return built_in[name]
        value = self.chosen.get(name, ALL[name])
        if wanted == "sqlstring":
            assert isinstance(value, str)
            return "'{}'".format(value.replace("'", "''"))
        return value if isinstance(value, str) else f"({'|'.join(value)})"
