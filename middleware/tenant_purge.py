"""Offboarding: nothing of a tenant is left.

1. It is paused, so that nothing more of it starts.
2. Its jobs that wait are cancelled; those that run are interrupted and waited for; its dead letters are discarded.
3. The recorder is waited for: what just happened to its jobs must not be written after its rows have gone.
4. Its rows go, and with them the results of its jobs; then its files, and last its own row.
5. Redis forgets what it remembers for a time: keys of sends, admissions, turns. From then on it is a tenant that nobody
   knows; who comes by its name is a stranger.

Stop what sends for it first: what is sent meanwhile is accepted, as for any tenant that is paused, and runs afterwards.
Whatever is interrupted can be begun again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, cast

from ..broker import FairBroker
from ..broker.cancel_filter import STATES
from ..broker.connection import reachable
from ..broker.dead_letters import DeadLetters
from ..broker.tenant_traces import TenantTraces
from ..broker.unfinished_jobs import UnfinishedJobs
from .archive import PostgresArchive
from .database import Database, database
from .fleet_broker import fleet_broker
from .purged import Purged
from .queries import Queries
from .tenants import Tenants, checked_id

QUERIES = Queries(__file__)

#: The tables with rows of tenants, in the order in which these go.
TABLES = (
    "job_attempts",
    "job_logs",
    "dead_letters",
    "effects",
    "sent_emails",
    "webhook_deliveries",
    "webhooks",
    "tenants",
)
#: Rows that go in one transaction.
SLICE = 2_000
#: Dead letters that are counted and discarded; more than any fleet should ever have.
DEAD_MOST = 1_000_000
#: Seconds for which running jobs, and then the recorder, are waited for.
PATIENCE_SECONDS = 30.0
#: Seconds between two looks.
PAUSE_SECONDS = 0.1

#: Removes a tenant's files, or only counts them if its second argument is true; returns how many there are.
Files = Callable[[str, bool], int]


class TenantPurge:
    """Offboards tenants of one fleet.

    Parameters:
      broker: whose jobs they have.
      database: where their rows are.
      files: removes their files; None if it is not known where they are.
    """

    def __init__(self, broker: FairBroker, database: Database, files: Files | None = None) -> None:
        self._broker = broker
        self._database = database
        self._files = files
        self._tenants = Tenants(database, broker)
        self._traces = TenantTraces(broker.commands, broker.keys)
        self._dead_letters = DeadLetters(
            broker.commands, broker.keys, broker.scripts, lambda: PostgresArchive(database)
        )

    def count(self, tenant_id: int | str) -> Purged:
        """What ``purge`` would do; changes nothing. Raises as ``purge`` does."""
        tenant = checked_id(tenant_id)
        jobs = self._broker.cancel_matching(tenant_id=tenant, states=STATES, dry_run=True)
        counts = {
            "waiting jobs": jobs.over,
            "running jobs": len(jobs.active),
            "dead letters": len(self._dead(tenant)),
        }
        counts |= self._rows(tenant)
        if self._files:
            counts["files"] = self._files(tenant, True)
        return Purged(tenant_id=tenant, dry_run=True, counts=counts)

    def purge(self, tenant_id: int | str) -> Purged:
        """Offboard a tenant.

        Raises:
          InvalidPayload: there can be no such tenant.
          Unavailable: PostgreSQL or the storage is away; begin again when it is back.
          dramatiq.errors.ConnectionClosed: Redis is away; begin again.
        """
        tenant = checked_id(tenant_id)
        self._tenants.pause(tenant)
        jobs = self._broker.cancel_matching(tenant_id=tenant, states=STATES)
        counts = {"waiting jobs": jobs.over, "running jobs": len(jobs.active)}
        left = self._await_ends(list(jobs.active))
        counts["dead letters"] = self._discard(tenant)
        left += self._await_recorder()
        counts |= self._delete(tenant, TABLES[:-1])
        if self._files:
            counts["files"] = self._files(tenant, False)
        else:
            left.append("its files were not looked at")
        counts |= self._delete(tenant, TABLES[-1:])
        self._tenants.published(tenant)
        with reachable(self._broker.client):
            self._traces.forget(tenant)
        return Purged(tenant_id=tenant, dry_run=False, counts=counts, left=tuple(left))

    def _dead(self, tenant: str) -> list[str]:
        return [letter.job_id for letter in self._dead_letters.list(tenant=tenant, limit=DEAD_MOST)]

    def _discard(self, tenant: str) -> int:
        # All in one go: until the recorder has heard of it, PostgreSQL still calls one dead that Redis has given up.
        return len(self._dead_letters.discard(self._dead(tenant), "its tenant was purged"))

    def _await_ends(self, running: list[str]) -> list[str]:
        places = UnfinishedJobs(self._broker.commands, self._broker.keys)

        def over() -> bool:
            # Not whether Redis knows them: one that fails, instead of being cancelled, is a dead letter.
            active = set(places.ids(None, None, ("active",)))
            running[:] = [job_id for job_id in running if job_id in active]
            return not running

        with reachable(self._broker.client):
            if _within_patience(over):
                return []
        return [f"{len(running)} of its jobs did not end; purge it again when they have"]

    def _await_recorder(self) -> list[str]:
        with reachable(self._broker.client):
            newest = cast("list[tuple[bytes, Any]]", self._broker.client.xrevrange(self._broker.keys.journal, count=1))
        if not newest or self._recorded() is None:
            return []
        last = _moment(newest[0][0].decode())
        if _within_patience(lambda: _moment(self._recorded() or "0-0") >= last):
            return []
        return ["the job log is behind and will tell of its last jobs; purge it again once the monitor has caught up"]

    def _recorded(self) -> str | None:
        """The position up to which the journal is recorded, None where nobody has ever recorded."""
        namespace = self._broker.keys.prefix.strip("{}")
        with self._database.connection() as connection:
            row = connection.execute(QUERIES["recorded"], {"namespace": namespace}).fetchone()
        return str(row["position"]) if row else None

    def _rows(self, tenant: str) -> dict[str, int]:
        with self._database.connection() as connection:
            row = connection.execute(QUERIES["count"], {"tenant_id": tenant}).fetchone()
        return {table: row[table] for table in TABLES} if row else {}

    def _delete(self, tenant: str, tables: tuple[str, ...]) -> dict[str, int]:
        return {table: sum(self._slices(tenant, table)) for table in tables}

    def _slices(self, tenant: str, table: str) -> Iterator[int]:
        gone = SLICE
        while gone == SLICE:
            with self._database.connection() as connection:
                deleted = connection.execute(QUERIES[f"delete_{table}"], {"tenant_id": tenant, "most": SLICE})
                gone = deleted.rowcount
                if table == "job_logs":
                    # Before it is committed: whoever begins again finds by a row whose result may be there.
                    with reachable(self._broker.client):
                        self._traces.forget_results([row["job_id"] for row in deleted])
            yield gone


def purge_tenant(tenant_id: int | str, *, dry_run: bool = False, files: Files | None = None) -> Purged:
    """Offboard a tenant: its jobs, its rows, its files and its plan.

    >>> purge_tenant(42, dry_run=True, files=storage().remove_all).counts["waiting jobs"]
    17

    Parameters:
      tenant_id: whose; stop what sends for it first.
      dry_run: only count.
      files: what removes its files, such as ``jobfleet.actors.storage.storage().remove_all``; they stay if None.

    Raises as ``TenantPurge.purge``.
    """
    with fleet_broker() as broker:
        purge = TenantPurge(broker, database(), files)
        return purge.count(tenant_id) if dry_run else purge.purge(tenant_id)


def _within_patience(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_SECONDS)
    return True


def _moment(position: str) -> tuple[int, int]:
    """A position of the journal as something that can be compared."""
    milliseconds, _, number = position.partition("-")
    return int(milliseconds), int(number or 0)
