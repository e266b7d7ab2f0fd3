"""Audits and repairs while the fleet runs: what is on its way is never found, and what is lost comes back."""

from __future__ import annotations

import time
from collections import Counter

import dramatiq
from wait import eventually
from worker_threads import StartWorker

from jobfleet.broker import FairBroker

JOBS = 1_500


def test_what_moves_is_no_finding_and_what_was_lost_meanwhile_runs(
    broker: FairBroker, start_worker: StartWorker
) -> None:
    # Given a fleet at work
    ran: Counter[int] = Counter()

    @dramatiq.actor(broker=broker, queue_name="default")
    def act(n: int, tenant_id: str) -> None:
        time.sleep(0.005)
        ran[n] += 1

    broker.enqueue_many([act.message(n=n, tenant_id=f"tenant-{n % 7}") for n in range(JOBS)])
    start_worker(threads=4)

    # When it is audited and told to mend what is found, then nothing is
    looks = 0
    while len(ran) < JOBS // 3:
        report = broker.audit(repair=True)
        assert report.clean, str(report)
        looks += 1
    assert looks

    # When hands take jobs out of a line
    lost = broker.client.zpopmin(broker.keys.line("default", "tenant-3"), 20)
    report = broker.audit(repair=True)

    # Then each of these is named and runs, and no job runs twice
    assert lost
    assert report.by_kind()["lost"] == len(lost), str(report)
    assert not report.left, str(report)
    eventually(lambda: len(ran) == JOBS)
    assert set(ran.values()) == {1}
