"""What the exporter tells of the bounds at which all sends are refused, and of audits."""

from __future__ import annotations

from pathlib import Path

from scraped import scrape
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.broker.settings import settings
from jobfleet.cli.embedded_redis import EmbeddedRedis
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


def test_what_the_server_threw_away_and_how_full_it_is_are_told(tmp_path: Path) -> None:
    # Given a server of its own that throws keys away at its limit, and a fleet on it
    nowhere = Database("postgresql://nobody@127.0.0.1:1/none")
    with EmbeddedRedis(tmp_path) as server:
        broker = FairBroker(server.url, middleware=[])
        exporter = Exporter(broker, nowhere)
        broker.client.config_set("maxmemory-policy", "allkeys-random")
        assert scrape(exporter).value("jobfleet_redis_evicted_keys_total") == 0

        # When its memory is half used
        broker.client.config_set("maxmemory", 2 * int(broker.client.info("memory")["used_memory"]))
        eventually(lambda: 0.4 < scrape(exporter).value("jobfleet_redis_memory_used_ratio") < 0.6)

        # And more is written than there is room for
        for number in range(40):
            broker.client.set(f"other:{number}", b"x" * 100_000)

        # Then the number is the server's
        thrown_away = broker.client.info("stats")["evicted_keys"]
        assert thrown_away > 0
        assert scrape(exporter).value("jobfleet_redis_evicted_keys_total") >= thrown_away
        broker.close()
