"""The rows that make an effect of a job happen once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from . import effect_records
from .database import Database
from .effects import Effect
from .queries import Queries

QUERIES = Queries(__file__)


@dataclass(frozen=True, kw_only=True)
class KnownEffect:
    """What a run learns of an effect before it has it."""

    state: Effect
    #: What it returned, if it is done.
    result: Any = None
    #: It was this very run that had it.
    in_this_run: bool = False


class EffectLedger:
    """The row of one effect of one job, in ``effects``.

    Parameters:
      database: where the table is.
      job_id: whose effect it is.
      name: which of the job's effects.
      tenant_id: whose job it is.
      run: which run asks.

    Every method raises ``Unavailable`` when the database is away.
    """

    def __init__(self, database: Database, *, job_id: str, name: str, tenant_id: str, run: str) -> None:
        self._database = database
        self.run = run
        self._row = {"job_id": job_id, "name": name, "tenant_id": tenant_id, "run": run}

    def __repr__(self) -> str:
        return f"job {self._row['job_id']}"

    def values(self, result: Any) -> dict[str, str | None]:
        """The values of the record: what to give to the recorder when the database is away."""
        return {**self._row, "result": None if result is None else json.dumps(result, allow_nan=False)}

    def intend(self) -> KnownEffect:
        """Write the intention down, or learn how far an earlier run came."""
        with self._database.connection() as connection:
            if connection.execute(QUERIES["intend"], self._row).fetchone():
                return KnownEffect(state=Effect.NEW)
            row = connection.execute(QUERIES["doubt"], self._row).fetchone()
        if row is None or row["status"] != "done":
            return KnownEffect(state=Effect.IN_DOUBT)
        return KnownEffect(state=Effect.DONE, result=row["result"], in_this_run=row["run"] == self.run)

    def record(self, result: Any) -> None:
        """Write down that it has happened.

        Parameters:
          result: what it returned, of nothing but what JSON and PostgreSQL hold.
        """
        with self._database.connection() as connection:
            connection.execute(effect_records.QUERIES["effect"], {**self.values(result), "at_ms": None})

    def withdraw(self) -> None:
        """Take the intention of this run back."""
        with self._database.connection() as connection:
            connection.execute(QUERIES["withdraw"], self._row)


def resolve(database: Database, job_id: str, name: str, *, happened: bool) -> bool:
    """End a doubt about an effect; returns whether there was one."""
    statement = "resolve_happened" if happened else "resolve_never_happened"
    with database.connection() as connection:
        return connection.execute(QUERIES[statement], {"job_id": job_id, "name": name}).rowcount == 1
