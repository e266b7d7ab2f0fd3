"""Plans, tenants and their own limits: stored in PostgreSQL, at once where the fleet's scripts read them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dramatiq.broker
import psycopg
import pytest
from journal_events import rows
from published_limits import forget, plain_sql, published, published_plans

from jobfleet.broker import SYSTEM, FairBroker
from jobfleet.broker.errors import InvalidPayload, Unavailable
from jobfleet.broker.settings import settings
from jobfleet.middleware import pause_tenant, resume_tenant, set_plan
from jobfleet.middleware.database import Database, database
from jobfleet.middleware.limit_publisher import LimitPublisher
from jobfleet.middleware.tenants import Tenants

FREE = ["free", 2, 10, 1, 1_000, False]
PRO = ["pro", 10, 200, 4, 100_000, False]


@pytest.fixture
def pool(database_url: str) -> Iterator[Database]:
    pool = Database(database_url)
    yield pool
    pool.close()


@pytest.fixture
def tenants(broker: FairBroker, pool: Database) -> Tenants:
    return Tenants(pool, broker)


def test_a_tenant_nobody_has_spoken_of_is_free(tenants: Tenants) -> None:
    tenant = tenants.get(42)

    assert (tenant.tenant_id, tenant.plan, tenant.paused, tenant.overrides) == ("42", "free", False, {})
    assert (tenant.limits.concurrency, tenant.limits.per_minute) == (2, 10)
    assert (tenant.limits.weight, tenant.limits.max_backlog) == (1, 1_000)
    assert tenant.created_at is None
    assert tenants.list() == []


def test_a_plan_is_stored_and_published_with_all_others(tenants: Tenants, broker: FairBroker) -> None:
    # Given a fleet without plans, so without limits
    assert broker.limits.is_empty()

    # When a tenant gets a plan
    tenant = tenants.set_plan(42, "pro")

    # Then it holds at once, and everybody else is on free
    assert (tenant.plan, tenant.limits.concurrency) == ("pro", 10)
    assert tenants.get("42") == tenant
    assert published(broker, "42") == PRO
    assert published(broker, "43") == FREE
    assert published_plans(broker) == {
        "free": [2, 10, 1, 1_000],
        "starter": [5, 50, 2, 10_000],
        "pro": [10, 200, 4, 100_000],
        "enterprise": [20, 1_000, 8, 1_000_000],
    }


def test_a_tenants_own_limits_outlive_its_plan_until_they_are_taken_back(tenants: Tenants, broker: FairBroker) -> None:
    # Given limits of its own, named one after the other
    tenants.override("acme", concurrency=3)
    tenants.override("acme", max_jobs_per_minute=77, weight=5)
    assert published(broker, "acme") == ["free", 3, 77, 5, 1_000, False]

    # When the plan changes
    tenant = tenants.set_plan("acme", "starter")

    # Then they stay, and the rest is the new plan's
    assert tenant.overrides == {"concurrency": 3, "max_jobs_per_minute": 77, "weight": 5}
    assert published(broker, "acme") == ["starter", 3, 77, 5, 10_000, False]

    # And what is taken back is the plan's again
    tenants.override("acme", concurrency=None, weight=None, max_backlog=9)
    assert published(broker, "acme") == ["starter", 5, 77, 2, 9, False]


def test_pause_and_resume(tenants: Tenants, broker: FairBroker) -> None:
    assert tenants.pause("acme").paused
    assert published(broker, "acme")[-1] is True
    assert [tenant.tenant_id for tenant in tenants.list(paused=True)] == ["acme"]

    assert not tenants.resume("acme").paused
    assert published(broker, "acme") == FREE
    assert tenants.resume("nobody").created_at is None


def test_tenants_are_listed_page_by_page(tenants: Tenants) -> None:
    for number in range(5):
        tenants.set_plan(f"t{number}", "pro" if number % 2 else "starter")

    assert [tenant.tenant_id for tenant in tenants.list(limit=2)] == ["t0", "t1"]
    assert [tenant.tenant_id for tenant in tenants.list(limit=2, after="t1")] == ["t2", "t3"]
    assert [tenant.tenant_id for tenant in tenants.list(plan="pro")] == ["t1", "t3"]


@pytest.mark.parametrize(
    ("change", "complaint", "field"),
    [
        (
            lambda t: t.set_plan(42, "prof"),
            "unknown plan prof: did you mean pro.*free, starter, pro, enterprise",
            "plan",
        ),
        (lambda t: t.set_plan(42, None), "unknown plan None: There are free", "plan"),
        (lambda t: t.set_plan("a:b", "pro"), "tenant_id is 'a:b': allowed are a whole number or 1 to 64", "tenant_id"),
        (lambda t: t.set_plan("", "pro"), "tenant_id is ''", "tenant_id"),
        (lambda t: t.set_plan("x" * 65, "pro"), "1 to 64", "tenant_id"),
        (lambda t: t.set_plan("acme\n", "pro"), "1 to 64", "tenant_id"),
        (lambda t: t.set_plan(None, "pro"), "tenant_id is None", "tenant_id"),
        (lambda t: t.set_plan(True, "pro"), "tenant_id is True", "tenant_id"),
        (lambda t: t.pause(SYSTEM), "system's own", "tenant_id"),
        (lambda t: t.resume(4.2), "tenant_id is 4.2", "tenant_id"),
        (lambda t: t.get(b"42"), "tenant_id is b'42'", "tenant_id"),
        (lambda t: t.override(42), "no limit was given; there are concurrency, max_jobs_per_minute", ""),
        (lambda t: t.override(42, speed=3), "unknown limit speed: There are concurrency", "speed"),
        (lambda t: t.override(42, concurrency=0), "concurrency is 0; allowed is .* from 1 to 10,000", "concurrency"),
        (lambda t: t.override(42, weight=1_001), "weight is 1001", "weight"),
        (lambda t: t.override(42, weight="5"), "weight is '5'", "weight"),
        (lambda t: t.override(42, weight=5, max_backlog=0), "max_backlog is 0", "max_backlog"),
        (lambda t: t.list(plan="gold"), "unknown plan gold", "plan"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_changed(
    tenants: Tenants, broker: FairBroker, database_url: str, change: Callable[[Any], object], complaint: str, field: str
) -> None:
    with pytest.raises(InvalidPayload, match=complaint) as caught:
        change(tenants)

    assert caught.value.field == field
    assert rows(database_url, "SELECT * FROM tenants") == []
    assert broker.limits.is_empty()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO tenants (tenant_id) VALUES ('a:b')",
        "INSERT INTO tenants (tenant_id) VALUES (E'acme\\n')",
        "INSERT INTO tenants (tenant_id, plan) VALUES ('acme', 'gold')",
        "INSERT INTO tenants (tenant_id, concurrency) VALUES ('acme', 0)",
        "UPDATE plans SET max_jobs_per_minute = 0",
        "DELETE FROM plans",
    ],
)
def test_the_tables_defend_themselves(tenants: Tenants, database_url: str, statement: str) -> None:
    tenants.set_plan("other", "pro")

    with pytest.raises(psycopg.errors.IntegrityError):
        plain_sql(database_url, statement)


def test_the_file_fills_the_table_and_then_the_table_holds(
    tenants: Tenants, broker: FairBroker, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a plan of the table that somebody has changed, with SQL, and another that somebody has made
    tenants.set_plan("acme", "pro")
    plain_sql(database_url, "UPDATE plans SET concurrency = 11 WHERE name = 'pro'")
    plain_sql(database_url, "INSERT INTO plans VALUES ('gold', 50, 5000, 16, 50000)")

    # When the next change is made
    tenants.set_plan("midas", "gold")
    tenants.set_plan("acme", "pro")

    # Then the table holds
    assert published(broker, "acme") == ["pro", 11, 200, 4, 100_000, False]
    assert published(broker, "midas") == ["gold", 50, 5_000, 16, 50_000, False]


def test_a_plan_of_the_file_can_be_given(tenants: Tenants, broker: FairBroker, tmp_path: Path) -> None:
    numbers = "concurrency = 1\nmax_jobs_per_minute = 2\nweight = 3\nmax_backlog = 4\n"
    (tmp_path / "jobfleet.toml").write_text(f"[plans.tiny]\n{numbers}[plans.free]\nconcurrency = 7\n")
    settings.cache_clear()

    tenants.set_plan("acme", "tiny")

    assert published(broker, "acme") == ["tiny", 1, 2, 3, 4, False]
    assert published(broker, "other") == ["free", 7, 10, 1, 1_000, False]


def test_redis_away_the_change_is_stored_and_told(
    pool: Database, caplog: pytest.LogCaptureFixture, namespace: str
) -> None:
    away = FairBroker(url="redis://127.0.0.1:1", namespace=namespace, middleware=[])

    tenant = Tenants(pool, away).set_plan("acme", "pro")

    assert tenant.plan == "pro"
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "acme is stored and reaches the fleet through the monitor" in caplog.text
    away.close()


def test_postgresql_away_nothing_is_changed(broker: FairBroker) -> None:
    with pytest.raises(Unavailable, match="is away"):
        Tenants(Database("postgresql://127.0.0.1:1/app"), broker).set_plan("acme", "pro")

    assert broker.limits.is_empty()


def test_an_emptied_redis_gets_everything_with_the_next_change(tenants: Tenants, broker: FairBroker) -> None:
    tenants.set_plan("acme", "pro")
    forget(broker)

    tenants.set_plan("other", "starter")

    assert published(broker, "acme") == PRO


def test_many_who_change_at_once_leave_what_is_stored(
    pool: Database, broker: FairBroker, database_url: str, redis_url: str, namespace: str
) -> None:
    # Given four threads, each with tenants of its own and with one that all change
    plans = ("free", "starter", "pro", "enterprise")
    start = threading.Barrier(4)

    def change(number: int) -> None:
        own = FairBroker(url=redis_url, namespace=namespace, middleware=[])
        tenants = Tenants(pool, own)
        start.wait()
        for turn in range(12):
            tenants.set_plan(f"own-{number}", plans[(number + turn) % 4])
            tenants.set_plan("shared", plans[(number + turn) % 4])
        own.close()

    # When they change them at once
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(change, range(4)))

    # Then Redis has what PostgreSQL has
    stored = {row["tenant_id"]: row["plan"] for row in rows(database_url, "SELECT tenant_id, plan FROM tenants")}
    assert set(stored) == {"shared", *(f"own-{number}" for number in range(4))}
    assert {tenant_id: published(broker, tenant_id)[0] for tenant_id in stored} == stored


def test_a_database_younger_than_what_redis_knows_prevails(
    tenants: Tenants, broker: FairBroker, pool: Database, database_url: str
) -> None:
    # Given a Redis that has seen high numbers
    plain_sql(database_url, "SELECT setval('limits_version', 1000000)")
    tenants.set_plan("acme", "pro")

    # When the database is one from a backup, whose numbers are low
    plain_sql(database_url, "SELECT setval('limits_version', 1)")
    plain_sql(database_url, "UPDATE tenants SET plan = 'starter'")
    LimitPublisher(pool, broker).publish(["acme"])

    # Then what it says holds, and so does what it says next
    assert published(broker, "acme")[0] == "starter"
    tenants.set_plan("acme", "free")
    assert published(broker, "acme") == FREE


@pytest.mark.parametrize("set_by_application", [True, False])
def test_the_functions_speak_to_the_fleet_of_the_process(
    broker: FairBroker,
    redis_url: str,
    database_url: str,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
    set_by_application: bool,
) -> None:
    # Given an application with a broker of its own, or with settings alone
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setattr(dramatiq.broker, "global_broker", broker if set_by_application else None)
    if not set_by_application:
        monkeypatch.setenv("REDIS_URL", redis_url)
        monkeypatch.setenv("JOBFLEET_NAMESPACE", namespace)
    settings.cache_clear()
    database.cache_clear()

    # When it calls them, then its fleet knows
    try:
        set_plan(42, "pro")
        assert published(broker, "42") == PRO
        pause_tenant(42)
        assert published(broker, "42")[-1] is True
        resume_tenant(42)
        assert published(broker, "42") == PRO
    finally:
        database().close()
        database.cache_clear()
