"""What Grafana puts in place of a dashboard's variables and macros before it asks a question.

Grafana does this in its browser code and in its datasource plugins; whoever asks a dashboard's questions without it,
as our pictures do, does the same here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from jobfleet.pictures.formats import FORMATS, Chosen, for_prometheus, for_sql

#: ``$name``, ``${name}``, ``${name:format}`` and ``[[name]]``.
_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)\]\]")
#: ``$__macro(arguments)``, for SQL.
_MACRO = re.compile(r"\$__(\w+)\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
#: A duration as macros take it: 30s, 5m, 1h, 1d.
_DURATION = re.compile(r"(\d+)(ms|s|m|h|d)")
_SECONDS = MappingProxyType({"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400})

#: Seconds between two points that Grafana chooses from, and the points that it wants at most.
_STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400)
POINTS = 700

#: What is chosen when everything is.
ALL = "$__all"


class Interpolation:
    """One dashboard's questions as its datasources get them.

    Parameters:
      dashboard: as Grafana stores it.
      start, end: the time range, seconds since the epoch.
      scrape: seconds between two scrapes, as the datasource is told.
      chosen: variable -> what is chosen for it; what the dashboard says where nothing is.
    """

    def __init__(
        self,
        dashboard: Mapping[str, Any],
        *,
        start: float,
        end: float,
        scrape: float = 15.0,
        chosen: Mapping[str, Chosen] | None = None,
    ) -> None:
        self.start, self.end = start, end
        self.step = max(scrape, next((step for step in _STEPS if (end - start) / step <= POINTS), _STEPS[-1]))
        self._scrape = scrape
        self._variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
        self._chosen = chosen or {}

    def promql(self, text: str) -> str:
        """PromQL with every variable replaced.

        Raises:
          ValueError: there is no such variable or format.
        """
        return self._replaced(text, for_prometheus)

    def sql(self, text: str) -> str:
        """SQL of PostgreSQL with every macro and variable replaced.

        Raises:
          ValueError: there is no such macro, variable or format.
        """
        return self._replaced(_MACRO.sub(self._macro, text), for_sql)

    def _replaced(self, text: str, plain: Callable[[Mapping[str, Any], Chosen], str]) -> str:
        def value(found: re.Match[str]) -> str:
            name, form = found[1] or found[2] or found[4], found[3]
            if name in (known := self._moments()):
                return known[name]
            if name not in self._variables:
                raise ValueError(f"{found[0]} is no variable of the dashboard; there are {', '.join(self._variables)}")
            return self._written(self._variables[name], form, plain)

        return _VARIABLE.sub(value, text)

    def _written(
        self, variable: Mapping[str, Any], form: str | None, plain: Callable[[Mapping[str, Any], Chosen], str]
    ) -> str:
        chosen = self._chosen.get(variable["name"], variable.get("current", {}).get("value", ""))
        if chosen in (ALL, [ALL]):
            if variable.get("allValue"):
                # Nothing is escaped: who sets it knows what the question wants.
                return str(variable["allValue"])
            chosen = [option["value"] for option in variable["options"] if option["value"] != ALL]
        if form is None:
            return plain(variable, chosen)
        if form not in FORMATS:
            raise ValueError(f"${{{variable['name']}:{form}}} is of no known format; allowed are {', '.join(FORMATS)}")
        return FORMATS[form](chosen)

    def _moments(self) -> dict[str, str]:
        """The variables that every dashboard has."""
        span = round(self.end - self.start)
        rate = max(self.step + self._scrape, 4 * self._scrape)
        return {
            "__interval": f"{self.step:g}s",
            "__interval_ms": f"{self.step * 1000:g}",
            "__rate_interval": f"{rate:g}s",
            "__range": f"{span}s",
            "__range_s": str(span),
            "__range_ms": str(span * 1000),
            "__from": f"{self.start * 1000:.0f}",
            "__to": f"{self.end * 1000:.0f}",
        }

    def _macro(self, found: re.Match[str]) -> str:
        name, arguments = found[1], [part.strip() for part in found[2].split(",")]
        start, end = _moment(self.start), _moment(self.end)
        if name == "timeFilter":
            return f"{found[2]} BETWEEN {start} AND {end}"
        if name in ("timeFrom", "timeTo"):
            return start if name == "timeFrom" else end
        if name == "timeEpoch":
            return f'extract(epoch from {found[2]}) as "time"'
        if name == "time":
            return f'{found[2]} AS "time"'
        if name in ("timeGroup", "timeGroupAlias"):
            column, width = arguments[0], self._seconds(arguments[1])
            alias = ' AS "time"' if name.endswith("Alias") else ""
            return f"floor(extract(epoch from {column})/{width:g})*{width:g}{alias}"
        raise ValueError(f"{found[0]} is no known macro")

    def _seconds(self, text: str) -> float:
        duration = text.strip("'\"").replace("$__interval", f"{self.step:g}s")
        if not (found := _DURATION.fullmatch(duration)):
            raise ValueError(f"{text} is no duration; allowed are a number and ms, s, m, h or d, and $__interval")
        return int(found[1]) * _SECONDS[found[2]]


def _moment(seconds: float) -> str:
    return f"'{datetime.fromtimestamp(seconds, UTC).isoformat(timespec='milliseconds').replace('+00:00', 'Z')}'"
