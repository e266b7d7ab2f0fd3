"""What the audit finds is told to Prometheus by its kind, until it is mended."""

from __future__ import annotations

import pytest
from audit_scene import AuditScene
from damages import (
    DAMAGES,
    Damage,
    forget_the_key,
    lose_the_lease,
    lose_the_place,
    miscount_the_backlog,
    scribble_over_a_tenant,
)
from scraped import scrape

from jobfleet.broker import FairBroker
from jobfleet.middleware.database import Database
from jobfleet.monitoring.exporter import Exporter
from jobfleet.monitoring.metrics import UNACCOUNTED

SOME = (lose_the_place, lose_the_lease, miscount_the_backlog, forget_the_key, scribble_over_a_tenant)


def unaccounted(exporter: Exporter) -> dict[str, float]:
    found = scrape(exporter).series("jobfleet_jobs_unaccounted", "kind")
    return {kind: count for (kind,), count in found.items()}


def test_every_kind_of_damage_has_its_series() -> None:
    assert set().union(*(kinds for _, kinds, _ in DAMAGES)) <= set(UNACCOUNTED)


@pytest.mark.parametrize("damage", SOME)
def test_what_was_damaged_is_counted_by_kind_until_it_is_mended(
    broker: FairBroker, pool: Database, damage: Damage
) -> None:
    # Given a fleet in which all is well
    scene, exporter = AuditScene(broker), Exporter(broker, pool)
    exporter.audits.look()
    assert unaccounted(exporter) == {}

    # When a hand damages a key, then the next look tells of it, and how often
    damage(scene)
    exporter.audits.look()
    assert unaccounted(exporter) == broker.audit().by_kind()
    (kinds,) = (kinds for done, kinds, _ in DAMAGES if done is damage)
    assert set(unaccounted(exporter)) == kinds

    # And no more when it is mended
    assert broker.audit(repair=True).mended
    exporter.audits.look()
    assert unaccounted(exporter) == {}
