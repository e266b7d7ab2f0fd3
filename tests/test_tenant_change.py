"""A tenant's row is changed by plain SQL, and a fleet that is at work follows."""

from __future__ import annotations

import threading

import dramatiq
import pytest
from published_limits import plain_sql, published, published_plans
from wait import eventually
from worker_threads import StartWorker

from jobfleet.broker import FairBroker
from jobfleet.middleware.database import Database
from jobfleet.middleware.tenant_limits import TenantLimits
from jobfleet.monitoring.monitor import Monitor

NARROW = "INSERT INTO tenants (tenant_id, concurrency, max_jobs_per_minute) VALUES ('acme', 1, 3)"
#: What of a change lets in what waits.
WIDER = {
    "an UPDATE of the tenant": "UPDATE tenants SET concurrency = 5, max_jobs_per_minute = 99 WHERE tenant_id = 'acme'",
    "another plan": (
        "UPDATE tenants SET plan = 'enterprise', concurrency = NULL, max_jobs_per_minute = NULL"
        " WHERE tenant_id = 'acme'"
    ),
}


@pytest.mark.parametrize("change", WIDER.values(), ids=WIDER)
def test_jobs_that_wait_follow_a_change_by_plain_sql(
    broker: FairBroker, pool: Database, database_url: str, start_worker: StartWorker, change: str
) -> None:
    # Given a running fleet, and a tenant of which one job may run and three may be sent in a minute
    broker.add_middleware(TenantLimits(on_limit="delay"))
    started, ends, stop = set[int](), threading.Event(), threading.Event()

    @dramatiq.actor(broker=broker)
    def note(*, tenant_id: str, number: int) -> None:
        started.add(number)
        ends.wait(60)

    monitor = threading.Thread(target=Monitor(broker, pool).run, args=(stop,))
    monitor.start()
    try:
        eventually(lambda: "free" in published_plans(broker))
        plain_sql(database_url, NARROW)
        eventually(lambda: published(broker, "acme")[1:3] == [1, 3])
        start_worker(threads=5)

        # And of five jobs one runs, two are parked and two are held
        for number in range(5):
            note.send(tenant_id="acme", number=number)
        eventually(lambda: started == {0})
        eventually(lambda: (stats := broker.stats(["default"])[0]).parked == 2 and stats.delayed == 2)

        # When the row is changed
        plain_sql(database_url, change)

        # Then all of them run, while none has ended
        eventually(lambda: started == set(range(5)))
        assert broker.stats(["default"])[0].active == 5
    finally:
        ends.set()
        stop.set()
        monitor.join(timeout=30)
