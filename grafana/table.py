"""Tables: a row for each queue, tenant or job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from .column import Column
from .panel import Panel
from .query import Query
from .sql_query import SqlQuery

#: Pixels that a column has at least, so that a dozen fit on a small screen.
COLUMN_MIN_WIDTH = 70


@dataclass(frozen=True, kw_only=True)
class Table(Panel):
    """A table whose rows come from one statement, or from several questions that are joined by label.

    Parameters:
      columns: from left to right; those of a statement that are not named are drawn as they are.
      labels: labels that make a row -> what stands above them; empty for SQL.
      statement: where the rows come from, or None when the columns' questions do.
      sort: the column by which rows are sorted.
      rising: the smallest first.
    """

    columns: tuple[Column, ...]
    labels: tuple[tuple[str, str], ...] = ()
    statement: SqlQuery | None = None
    sort: str = ""
    rising: bool = False
    unit: str = "short"
    width: int = 24
    height: int = 10

    type = "table"

    @property
    def asked(self) -> Sequence[Query]:
        """The statement, or the question of each column."""
        return [self.statement] if self.statement else [column.query for column in self._filled]

    @property
    def _filled(self) -> list[Column]:
        return [column for column in self.columns if column.expr]

    @property
    def _hidden(self) -> set[str]:
        return {column.title for column in self.columns if column.hidden}

    def options(self) -> dict[str, Any]:
        """The order of the rows."""
        sort = [{"displayName": self.sort, "desc": not self.rising}] if self.sort else []
        return {"showHeader": True, "cellHeight": "sm", "sortBy": sort, "footer": {"show": False, "reducer": ["sum"]}}

    def field(self) -> dict[str, Any]:
        """How cells are drawn that nothing else is said of."""
        return {
            "custom": {
                "align": "auto",
                "cellOptions": {"type": "auto"},
                "inspect": False,
                "filterable": False,
                "minWidth": COLUMN_MIN_WIDTH,
            },
            "color": {"mode": "thresholds"},
        }

    def overrides(self) -> list[dict[str, Any]]:
        """How each column is drawn."""
        return [column.override() for column in self.columns]

    def transformations(self) -> list[dict[str, Any]]:
        """Join the answers by their labels, name the columns and put them in order."""
        if self.statement:
            return []
        single = len(self._filled) == 1
        values = ("Value" if single else f"Value #{ref}" for ref in ascii_uppercase)
        named = dict(zip(values, (column.title for column in self._filled), strict=False))
        titles = [column.title for column in self.columns]
        renamed = dict(self.labels) | named
        order = {name: titles.index(title) for name, title in renamed.items() if title in titles}
        hidden = {name: True for name, title in renamed.items() if title in self._hidden}
        return [
            {"id": "merge", "options": {}},
            {
                "id": "organize",
                "options": {"excludeByName": {"Time": True} | hidden, "indexByName": order, "renameByName": renamed},
            },
        ]
