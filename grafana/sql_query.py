"""A question to PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: The dashboard's variable of this name says which PostgreSQL it is.
POSTGRES = {"type": "grafana-postgresql-datasource", "uid": "${postgres}"}

SQL = Path(__file__).with_name("sql")


@dataclass(frozen=True, kw_only=True)
class SqlQuery:
    """A question to PostgreSQL.

    Parameters:
      name: its statement is ``sql/NAME.sql``.
      over_time: its first column is a moment, and a graph is drawn of it.
    """

    name: str
    over_time: bool = False

    @property
    def datasource(self) -> dict[str, str]:
        """Whom to ask."""
        return POSTGRES

    @property
    def statement(self) -> str:
        """The SQL, with Grafana's macros and variables."""
        return (SQL / f"{self.name}.sql").read_text(encoding="utf-8").strip()

    def build(self, ref: str) -> dict[str, Any]:
        """The target as Grafana reads it."""
        return {
            "refId": ref,
            "datasource": POSTGRES,
            "editorMode": "code",
            "format": "time_series" if self.over_time else "table",
            "rawQuery": True,
            "rawSql": self.statement,
        }
