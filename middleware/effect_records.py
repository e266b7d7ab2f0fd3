"""Records of effects that a run could not write down itself, because the database went away behind the effect.

1. The run leaves its record (``leave``). It travels in the run's settle, in front of its outcome, so both are known
   or neither is; the job is not held up and the effect is not repeated.
2. It is an event of the journal, of the kind ``effect``, whose detail ``record`` is JSON: ``record`` names a statement
   of ``effect_records.sql``, and the rest are its values.
3. The recorder writes it (``write``) when the database is back, in the transaction that stores the job's row.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from ..broker.lease import current_lease
from .database import Connection
from .queries import Queries

QUERIES = Queries(__file__)

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class EffectRecord:
    """What the journal tells of an effect."""

    job_id: str
    #: When the run was settled, ms since the epoch.
    at_ms: int
    #: As ``leave`` made it.
    text: str


def leave(statement: str, values: Mapping[str, Any]) -> None:
    """Give a record to the settle of the run that this code belongs to; outside of a run nothing happens.

    Parameters:
      statement: its name in ``effect_records.sql``. ``job_id`` and ``at_ms`` are added when it is written.
      values: what else it asks for, of nothing but what JSON holds.
    """
    lease = current_lease()
    if lease is not None:
        lease.effects += (json.dumps({**values, "record": statement}),)


def write(connection: Connection, records: Iterable[EffectRecord]) -> int:
    """Write records, each by itself: one that cannot be written is told to the process's log and left out.

    Returns:
      The number of those that were left out.

    Raises:
      psycopg.OperationalError, psycopg.InterfaceError: the server is away or has no room.
    """
    left_out = 0
    for record in records:
        try:
            values = json.loads(record.text)
            statement = QUERIES[values.pop("record")]
            with connection.transaction():
                connection.execute(statement, {**values, "job_id": record.job_id, "at_ms": record.at_ms})
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except (psycopg.Error, LookupError, TypeError, ValueError, AttributeError) as error:
            _logger.warning("The record of an effect of job %s cannot be written: %s", record.job_id, error)
            left_out += 1
    return left_out
