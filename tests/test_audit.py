"""The audit finds what is wrong: each kind of damage, done by hand, is named."""

from __future__ import annotations

from collections import Counter

import pytest
from audit_scene import AuditScene
from damages import DAMAGES, Damage

from jobfleet.broker import FairBroker


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
