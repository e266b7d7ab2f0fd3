"""The monitor brings to Redis what PostgreSQL says of plans and tenants, whoever changed it and whatever was away."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from databases import new_database
from journal_events import rows
from published_limits import forget, plain_sql, published, published_plans
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.broker.settings import settings
from jobfleet.cli.embedded_postgres import EmbeddedPostgres
from jobfleet.cli.embedded_redis import EmbeddedRedis
from jobfleet.deploy.migrate import migrate
from jobfleet.middleware.database import Database
from jobfleet.monitoring import tenant_sync, tenant_watch
from jobfleet.monitoring.monitor import Monitor
from jobfleet.monitoring.tenant_sync import TenantSync

FREE = ["free", 2, 10, 1, 1_000, False]
PRO = ["pro", 10, 200, 4, 100_000, False]
#: Sentences of the log about an outage.
AWAY, BACK = "cannot reach the fleet", "reach the fleet again"


@contextmanager
def syncing(broker: FairBroker, database_url: str) -> Iterator[None]:
    """A monitor's part at work; when the block begins the plans are published."""
    database, stop = Database(database_url), threading.Event()
    thread = threading.Thread(target=TenantSync(broker, database).run, args=(stop,))
    thread.start()
    try:
        eventually(lambda: "free" in published_plans(broker))
        yield
    finally:
        stop.set()
        thread.join(timeout=30)
        database.close()
        assert not thread.is_alive()


def reaches(broker: FairBroker, tenant_id: str, wanted: list[Any]) -> None:
    """Wait until Redis knows of a tenant what is wanted; long before everything is published anyway."""

    def known() -> bool:
        assert published(broker, tenant_id) == wanted
        return True

    eventually(known, timeout=tenant_sync.REFRESH_SECONDS / 2)


def test_the_monitor_fills_the_table_of_plans_and_publishes_it(broker: FairBroker, database_url: str) -> None:
    # Given nothing but the tables
    stop = threading.Event()
    database = Database(database_url)
    thread = threading.Thread(target=Monitor(broker, database).run, args=(stop,))

    # When the monitor runs
    thread.start()
    try:
        eventually(lambda: len(published_plans(broker)) == 4)
    finally:
        stop.set()
        thread.join(timeout=30)
        database.close()

    # Then the four plans are stored and published
    stored = rows(database_url, "SELECT name, concurrency FROM plans ORDER BY concurrency")
    assert [row["name"] for row in stored] == ["free", "starter", "pro", "enterprise"]
    assert published_plans(broker)["pro"] == [10, 200, 4, 100_000]


def test_plain_sql_reaches_the_fleet(broker: FairBroker, database_url: str) -> None:
    with syncing(broker, database_url):
        # When rows are changed in every way there is
        plain_sql(database_url, "INSERT INTO tenants (tenant_id, plan) VALUES ('acme', 'pro'), ('other', 'starter')")
        reaches(broker, "acme", PRO)

        plain_sql(database_url, "UPDATE tenants SET weight = 9, paused = TRUE WHERE tenant_id = 'acme'")
        reaches(broker, "acme", ["pro", 10, 200, 9, 100_000, True])

        plain_sql(database_url, "UPDATE plans SET max_jobs_per_minute = 300 WHERE name = 'pro'")
        reaches(broker, "acme", ["pro", 10, 300, 9, 100_000, True])

        plain_sql(database_url, "UPDATE tenants SET tenant_id = 'renamed' WHERE tenant_id = 'acme'")
        reaches(broker, "renamed", ["pro", 10, 300, 9, 100_000, True])
        reaches(broker, "acme", FREE)

        plain_sql(database_url, "DELETE FROM tenants WHERE tenant_id = 'renamed'")
        reaches(broker, "renamed", FREE)

        plain_sql(database_url, "UPDATE plans SET name = 'entry' WHERE name = 'starter'")
        reaches(broker, "other", ["entry", 5, 50, 2, 10_000, False])

        plain_sql(database_url, "TRUNCATE tenants")
        reaches(broker, "other", FREE)

        plain_sql(database_url, "UPDATE plans SET concurrency = 3 WHERE name = 'free'")
        reaches(broker, "nobody", ["free", 3, 10, 1, 1_000, False])


@pytest.mark.parametrize(("key", "field"), [("tenants", "acme"), ("plans", "free"), ("plans", "pro")])
def test_what_a_repair_takes_out_of_the_limits_is_published_again(
    broker: FairBroker, database_url: str, key: str, field: str
) -> None:
    with syncing(broker, database_url):
        plain_sql(database_url, "INSERT INTO tenants (tenant_id, plan) VALUES ('acme', 'pro')")
        reaches(broker, "acme", PRO)
        before = published_plans(broker)
        # When a hand scribbles over limits, and somebody repairs the fleet
        broker.client.hset(f"{broker.keys.prefix}:{key}", field, "scribble")
        assert broker.audit(repair=True).mended
        # Then they are as PostgreSQL says, long before everything is published anyway
        reaches(broker, "acme", PRO)
        eventually(lambda: published_plans(broker) == before, timeout=tenant_sync.REFRESH_SECONDS / 2)


def test_what_is_told_is_told_with_the_tenants_id(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("LISTEN jobfleet_tenants")
        plain_sql(database_url, "INSERT INTO plans VALUES ('free', 2, 10, 1, 1000)")
        plain_sql(database_url, "INSERT INTO tenants (tenant_id) VALUES ('acme')")
        plain_sql(database_url, "UPDATE tenants SET tenant_id = 'renamed'")
        plain_sql(database_url, "TRUNCATE tenants")

        told = [notice.payload for notice in connection.notifies(timeout=15, stop_after=5)]

    assert told == ["*", "acme", "acme", "renamed", "*"]


def test_without_being_told_it_looks(broker: FairBroker, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a way to PostgreSQL on which no notification arrives, as behind a pooler
    monkeypatch.setattr(tenant_watch.TenantWatch, "_listen", lambda self: None)

    with syncing(broker, database_url):
        plain_sql(database_url, "INSERT INTO tenants (tenant_id, plan) VALUES ('acme', 'pro'), ('other', 'pro')")
        reaches(broker, "acme", PRO)
        plain_sql(database_url, "DELETE FROM tenants WHERE tenant_id = 'acme'")
        reaches(broker, "acme", FREE)

        # And one goes in the very moment in which another comes
        plain_sql(
            database_url,
            "DELETE FROM tenants WHERE tenant_id = 'other'; INSERT INTO tenants (tenant_id, plan) VALUES ('new', 'pro')",
        )
        reaches(broker, "other", FREE)
        reaches(broker, "new", PRO)


def test_a_transaction_that_ends_late_is_not_missed(
    broker: FairBroker, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenant_watch.TenantWatch, "_listen", lambda self: None)
    with syncing(broker, database_url), psycopg.connect(database_url) as late:
        # Given a change that is not committed yet
        late.execute("INSERT INTO tenants (tenant_id, plan) VALUES ('late', 'pro')")

        # When later changes come and go
        plain_sql(database_url, "INSERT INTO tenants (tenant_id, plan) VALUES ('acme', 'pro')")
        reaches(broker, "acme", PRO)
        plain_sql(database_url, "UPDATE tenants SET plan = 'free' WHERE tenant_id = 'acme'")
        reaches(broker, "acme", FREE)
        assert published(broker, "late") == FREE

        # Then it is seen when it is
        late.commit()
        reaches(broker, "late", PRO)


def test_an_emptied_redis_is_filled_again(broker: FairBroker, database_url: str) -> None:
    with syncing(broker, database_url):
        plain_sql(database_url, "INSERT INTO tenants (tenant_id, plan) VALUES ('acme', 'pro')")
        reaches(broker, "acme", PRO)

        forget(broker)

        eventually(lambda: len(published_plans(broker)) == 4)
        reaches(broker, "acme", PRO)


def test_what_goes_unnoticed_is_mended_after_a_while(
    broker: FairBroker, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenant_sync, "REFRESH_SECONDS", 0.2)
    with syncing(broker, database_url):
        plain_sql(database_url, "INSERT INTO tenants (tenant_id, plan) VALUES ('acme', 'pro')")
        reached = f"{broker.keys.prefix}:tenants"
        eventually(lambda: broker.client.hexists(reached, "acme"))

        # When somebody takes a tenant out of Redis, or puts one there
        broker.client.hset(reached, "stranger", broker.client.hget(reached, "acme"))
        broker.client.hdel(reached, "acme")

        # Then it is there, and the stranger is not
        eventually(lambda: broker.client.hkeys(reached) == [b"acme"])


def test_several_monitors_do_no_harm(redis_url: str, namespace: str, broker: FairBroker, database_url: str) -> None:
    with ExitStack() as stack:
        # Given three of them
        for _ in range(3):
            own = FairBroker(url=redis_url, namespace=namespace, middleware=[])
            stack.callback(own.close)
            stack.enter_context(syncing(own, database_url))

        # When a tenant changes again and again
        plain_sql(database_url, "INSERT INTO tenants (tenant_id) VALUES ('acme')")
        for number in range(30):
            plain_sql(database_url, f"UPDATE tenants SET weight = {number + 1}")

        # Then the last change holds
        reaches(broker, "acme", ["free", 2, 10, 30, 1_000, False])


def test_a_file_that_says_something_else_is_told_once(
    broker: FairBroker, database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a table that was filled before the file was changed
    plain_sql(database_url, "INSERT INTO plans VALUES ('pro', 10, 200, 4, 100000)")
    (tmp_path / "jobfleet.toml").write_text("[plans.pro]\nconcurrency = 15\n")
    settings.cache_clear()

    # When the monitor starts
    with syncing(broker, database_url):
        eventually(lambda: "[plans.pro]" in caplog.text)

    # Then the table holds, and that is said
    assert published_plans(broker)["pro"] == [10, 200, 4, 100_000]
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "[plans.pro] says concurrency 15, but the table plans has concurrency 10, and that holds" in warnings[0]


def test_postgresql_away_and_back(
    servers_directory: Path, broker: FairBroker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server = EmbeddedPostgres(servers_directory / f"limits-{uuid4().hex[:8]}", fsync=False)
    server.start()
    try:
        with new_database(server.url, "template0") as url:
            migrate(url)
            with syncing(broker, url):
                # Given a database that goes away
                plain_sql(url, "INSERT INTO tenants (tenant_id, plan) VALUES ('acme', 'pro')")
                reaches(broker, "acme", PRO)
                server.stop()
                eventually(lambda: AWAY in caplog.text)
                assert published(broker, "acme") == PRO

                # When it is back, then changes arrive again
                server.start()
                plain_sql(url, "UPDATE tenants SET plan = 'starter'")
                reaches(broker, "acme", ["starter", 5, 50, 2, 10_000, False])
                eventually(lambda: BACK in caplog.text)
        assert caplog.text.count(AWAY) == 1
    finally:
        server.remove()


def test_redis_away_and_back_empty(
    servers_directory: Path, database_url: str, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    directory = servers_directory / f"limits-{uuid4().hex[:8]}"
    with EmbeddedRedis(directory, config={"appendonly": "no"}) as server:
        broker = FairBroker(url=server.url, namespace=namespace, middleware=[])
        with syncing(broker, database_url):
            # Given a Redis that goes away, and a change meanwhile
            server.stop()
            plain_sql(database_url, "INSERT INTO tenants (tenant_id, plan) VALUES ('acme', 'pro')")
            eventually(lambda: AWAY in caplog.text, timeout=30)

            # When it comes back without its data
            server.start()

            # Then it gets everything
            eventually(lambda: BACK in caplog.text, timeout=30)
            reaches(broker, "acme", PRO)
        broker.close()
    assert caplog.text.count(AWAY) == 1
