"""The benchmark of scrapes measures what it says; no time is judged."""

from __future__ import annotations

from pathlib import Path

from jobfleet.benchmarks.scrape import COLUMNS, filled, of
from jobfleet.benchmarks.servers import fresh_redis
from jobfleet.broker import QUEUES
from jobfleet.cli.embedded_redis import EmbeddedRedis
from jobfleet.middleware.database import Database
from jobfleet.monitoring.exporter import Exporter


def test_all_that_is_said_waits_while_it_is_scraped(tmp_path: Path, redis_server: EmbeddedRedis) -> None:
    nowhere = Database("postgresql://nobody@127.0.0.1:1/none")
    with fresh_redis(tmp_path / "redis", append_only=False) as server, filled(server, 10) as (broker, send):
        send(180, 10)
        found = of(Exporter(broker, nowhere), server, scrapes=2)
        waiting = {stats.queue: stats.waiting for stats in broker.stats()}

    assert waiting == dict.fromkeys(QUEUES, 20)
    assert len(found.took) == 2 and found.commands and found.busy_ms and found.size
    assert len(found.row("any")) == len(COLUMNS)
