"""The audit finds what is wrong: each kind of damage, done by hand, is named."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from audit_scene import ONE_A_MINUTE, ONE_AT_ONCE, AuditScene
from damages import DAMAGES, Damage, miscount_the_backlog, park_and_leave_the_turn
from dramatiq import Message
from scripted_worker import ScriptedWorker
from wide_limits import wide

from jobfleet.broker import FairBroker, inspector
from jobfleet.broker.policy import LIMITED, PROMISED


@pytest.mark.parametrize(("damage", "kinds"), [(damage, kinds) for damage, kinds, _ in DAMAGES])
def test_damage_is_named_and_nothing_is_changed(broker: FairBroker, damage: Damage, kinds: set[str]) -> None:
    scene = AuditScene(broker)
    assert broker.audit().clean, str(broker.audit())

    damage(scene)
    report = broker.audit()
    assert not report.clean
    assert set(report.by_kind()) == kinds, str(report)
    assert report.by_kind() == Counter(finding.kind for finding in report.findings)
    assert broker.audit() == report


def test_the_verdict_names_the_counts_that_were_not_looked_at(broker: FairBroker) -> None:
    # Given a journal and backlogs that are too long to be counted in one run of a script
    broker.journal.announce()
    later = [Message[Any]("default", "act", (), {"tenant_id": "acme"}, {}) for _ in range(3_001)]
    broker.enqueue_many(later, delay=3_600_000)
    for _ in range(101):
        broker.enqueue(Message[Any]("default", "act", (), {"tenant_id": "acme"}, {}))

    # When their counts are wrong
    broker.client.hincrby(broker.keys.backlog, "acme", 1)
    broker.client.hincrby(broker.keys.fleet, "events", 1)

    # Then the audit does not say that they are true
    report = broker.audit()
    assert report.clean
    assert {finding.name for finding in report.unseen} == {"backlogs", "events"}
    assert report.verdict() == (
        "audit: clean, 3102 jobs each in one place, all other counts true; not looked at: the backlogs of tenants, as "
        "more than 3000 jobs are scheduled, run or stand aside and events in the journal, as more than 100 entries of it "
        "are not recorded yet"
    )


def test_the_name_of_a_queue_may_have_colons(broker: FairBroker) -> None:
    # Given a queue with colons in its name, where jobs wait, run, are held and stand aside with their tenant
    name = "eu:mail:fast"
    broker.limits.publish({"free": wide()}, {"one": ONE_AT_ONCE, "rated": ONE_A_MINUTE}, version=1)
    held: dict[str, Any] = {LIMITED: "delay", PROMISED: True}
    sent = [("one", {}), ("one", {}), ("one", {}), ("rated", held), ("rated", held), ("acme", {}), ("acme", {})]
    broker.enqueue_many([Message[Any](name, "act", (), {"tenant_id": tenant}, options) for tenant, options in sent])
    worker = ScriptedWorker(broker, queues=(name,))
    assert len(worker.fetch(3, queue=name)) == 3
    (stats,) = broker.stats([name])
    assert (stats.active, stats.parked, stats.delayed) == (3, 2, 1)

    # Then all is well with them
    assert broker.audit().clean, str(broker.audit())

    # And what is amiss is found where it is, and mended
    (lost,) = broker.commands.zrevrange(broker.keys.line(name, "acme"), 0, 0)
    broker.client.hdel(broker.keys.jobs, lost.decode())
    broker.client.hincrby(broker.keys.parked_jobs, name, 5)
    report = broker.audit(repair=True)
    assert f"in waiting of {name} without a record" in str(report)
    assert f"parked: {name} 2 jobs of parked tenants wait, 7 are counted" in str(report)
    assert report.mended, str(report)
    assert broker.stats([name])[0].parked == 2


def forget_the_backlog_of_what_is_delayed(s: AuditScene) -> None:
    """Of a tenant that has nothing in a line: only the job itself leads to it."""
    s.broker.enqueue(Message[Any]("default", "act", (), {"tenant_id": "lonely"}, {}), delay=60_000)
    s.broker.client.hdel(s.broker.keys.backlog, "lonely")


@pytest.mark.parametrize(
    "damage", [miscount_the_backlog, forget_the_backlog_of_what_is_delayed, park_and_leave_the_turn]
)
def test_tenants_that_are_looked_at_one_by_one_are_all_looked_at(
    broker: FairBroker, monkeypatch: pytest.MonkeyPatch, damage: Damage
) -> None:
    scene = AuditScene(broker)
    damage(scene)
    at_once = broker.audit()

    # When a run of the script counts one line only
    monkeypatch.setattr(inspector, "LINES", 1)

    # Then the same is found, and all was well before as it is after a repair
    assert not at_once.clean
    assert set(broker.audit().findings) == set(at_once.findings)
    assert broker.audit(repair=True).mended
