"""What the exporter tells of the bounds at which all sends are refused, and of audits."""

from __future__ import annotations

from scraped import scrape

from jobfleet.broker import FairBroker
from jobfleet.broker.settings import settings
from jobfleet.middleware.database import Database
from jobfleet.monitoring.exporter import Exporter


def test_how_near_the_fleet_is_to_refusing_sends_and_when_it_was_audited_is_told(
    broker: FairBroker,
) -> None:
    # Given a server without a limit of memory, and no audit yet
    exporter = Exporter(broker, Database("postgresql://nobody@127.0.0.1:1/none"))
    before = scrape(exporter)
    assert before.value("jobfleet_journal_max_entries") == settings().journal_max
    assert before.value("jobfleet_redis_memory_used_ratio") == 0

    # When one was made
    exporter.audits.look()

    # Then it is that moment
    name = "jobfleet_audit_last_success_timestamp_seconds"
    assert scrape(exporter).value(name) > before.value(name)
