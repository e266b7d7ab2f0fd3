"""Offboarding: after it nothing of a tenant is left, and everything of the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dramatiq
import pytest
from command import parsed, refused, run
from dramatiq import Worker
from dramatiq.results import Results
from journal_events import rows
from model_fleet import everything
from published_limits import plain_sql, published
from wait import eventually

from jobfleet.actors.storage import Storage
from jobfleet.broker import FairBroker
from jobfleet.broker.errors import Cancelled, InvalidPayload
from jobfleet.broker.results import SettledResults
from jobfleet.middleware import tenant_purge
from jobfleet.middleware.database import Database
from jobfleet.middleware.idempotency import Idempotency
from jobfleet.middleware.job_log import JobLog
from jobfleet.middleware.tenant_limits import TenantLimits
from jobfleet.middleware.tenant_purge import TenantPurge
from jobfleet.middleware.tenants import Tenants
from jobfleet.monitoring.monitor import Monitor

#: Rows of each table that actors write, for a tenant.
ROWS = """
INSERT INTO sent_emails (job_id, tenant_id, recipient, message_id) VALUES ('mail-{0}', '{0}', 'a@b.c', '<1>');
INSERT INTO webhooks (tenant_id, url, secret) VALUES ('{0}', 'https://example.com', 's');
INSERT INTO webhook_deliveries (webhook_id, job_id, tenant_id, event, status, attempt, url)
  SELECT id, 'job', '{0}', 'e', 'success', 1, url FROM webhooks WHERE tenant_id = '{0}';
INSERT INTO effects (job_id, name, tenant_id, run) VALUES ('job-{0}', 'charge', '{0}', 'w:1');
"""


class Shop:
    """Two tenants with jobs in every state, rows in every table, and files.

    Parameters:
      broker: whose jobs they are.
      database_url: where the rows are.
      folder: where the files are.
    """

    def __init__(self, broker: FairBroker, database_url: str, folder: Path) -> None:
        self.broker = broker
        self.url = database_url
        self.database = Database(database_url)
        self.files = Storage(folder.as_uri())
        self.purge = TenantPurge(broker, self.database, self.files.remove_all)
        self.tenants = Tenants(self.database, broker)
        broker.add_middleware(JobLog())

        @dramatiq.actor(broker=broker, queue_name="email")
        def mail(*, tenant_id: str) -> None: ...

        @dramatiq.actor(broker=broker, queue_name="webhook", max_retries=0)
        def broken(*, tenant_id: str) -> None:
            raise ValueError("as always")

        self.mail, self.broken = mail, broken

    def fill(self, *tenant_ids: str) -> None:
        """For each: one completed and one dead job, one that waits, one that is delayed, rows of each kind, files."""
        worker = Worker(self.broker, worker_threads=1, worker_timeout=100)
        worker.start()
        for tenant_id in tenant_ids:
            self.tenants.set_plan(tenant_id, "pro")
            self.mail.send(tenant_id=tenant_id)
            self.broken.send(tenant_id=tenant_id)
        over = "SELECT FROM job_logs WHERE status IN ('completed', 'failed')"
        eventually(lambda: len(rows(self.url, over)) == 2 * len(tenant_ids))
        worker.stop()
        for tenant_id in tenant_ids:
            self.mail.send(tenant_id=tenant_id)
            self.mail.send_with_options(kwargs={"tenant_id": tenant_id}, delay=3_600_000)
            plain_sql(self.url, ROWS.format(tenant_id))
            self.files.write(tenant_id, "invoices/7.pdf", b"7")
            self.files.write(tenant_id, "logo.png", b"l")
        eventually(lambda: len(rows(self.url, "SELECT FROM job_logs")) == 4 * len(tenant_ids))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Run the monitor."""
        stop = threading.Event()
        thread = threading.Thread(target=Monitor(self.broker, self.database).run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=30)


@pytest.fixture
def shop(broker: FairBroker, database_url: str, tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(broker, database_url, tmp_path / "home" / "files")
    yield shop
    shop.database.close()


def test_nothing_of_one_tenant_is_left_and_all_of_the_other(shop: Shop) -> None:
    with shop.watched():
        # Given two tenants
        shop.fill("acme", "other")

        # When one of them is counted, nothing changes
        would = shop.purge.count("acme")
        assert would.dry_run
        jobs = {"waiting jobs": 2, "running jobs": 0, "dead letters": 1}
        ours = {"job_attempts": 2, "job_logs": 4, "dead_letters": 1, "effects": 1, "tenants": 1, "files": 2}
        theirs = {"sent_emails": 1, "webhook_deliveries": 1, "webhooks": 1}
        assert would.counts == jobs | ours | theirs
        assert shop.purge.count("acme") == would

        # When it is offboarded
        done = shop.purge.purge("acme")

        # Then what was counted is gone
        assert (done.dry_run, done.left) == (False, ())
        assert done.counts == would.counts
        assert set(shop.purge.count("acme").counts.values()) == {0}
        assert published(shop.broker, "acme") == ["free", 2, 10, 1, 1_000, False]

        # And the other has everything, also in Redis
        assert shop.purge.count("other").counts == would.counts
        assert published(shop.broker, "other")[0] == "pro"
        assert shop.broker.audit().clean
        assert sum(stats.failed for stats in shop.broker.stats()) == 1

        # And what happened last is not written once more
        events = "SELECT FROM job_logs WHERE tenant_id = 'acme'"
        eventually(lambda: shop.broker.journal.lag()[0] == 0)
        assert rows(shop.url, events) == []


def test_jobs_that_run_are_waited_for(shop: Shop, broker: FairBroker) -> None:
    # Given a job that runs
    runs, ends = threading.Event(), threading.Event()

    @dramatiq.actor(broker=broker, queue_name="report")
    def slow(*, tenant_id: str) -> None:
        runs.set()
        while not ends.is_set():
            ends.wait(0.01)

    worker = Worker(broker, worker_threads=1, worker_timeout=100)
    with shop.watched():
        worker.start()
        slow.send(tenant_id="acme")
        assert runs.wait(30)

        # When its tenant is offboarded, then it is interrupted
        done = shop.purge.purge("acme")

        assert done.counts["running jobs"] == 1
        assert done.left == ()
        assert rows(shop.url, "SELECT FROM job_logs") == []
        ends.set()
        worker.stop()


def test_a_run_that_fails_when_it_is_interrupted_has_ended(shop: Shop, broker: FairBroker) -> None:
    # Given a job that runs, and makes a failure of being cancelled
    runs, ends = threading.Event(), threading.Event()

    @dramatiq.actor(broker=broker, queue_name="report", max_retries=0)
    def stubborn(*, tenant_id: str) -> None:
        runs.set()
        try:
            while not ends.is_set():
                ends.wait(0.01)
        except Cancelled:
            raise ValueError("half of a report is none") from None

    worker = Worker(broker, worker_threads=1, worker_timeout=100)
    with shop.watched():
        worker.start()
        stubborn.send(tenant_id="acme")
        assert runs.wait(30)

        # When its tenant is offboarded
        done = shop.purge.purge("acme")
        ends.set()
        worker.stop()

    # Then that is said, and its dead letter is gone too
    assert done.left == ()
    assert (done.counts["running jobs"], done.counts["dead letters"]) == (1, 1)
    assert set(shop.purge.count("acme").counts.values()) == {0}


def test_redis_has_nothing_of_it_left(shop: Shop, broker: FairBroker) -> None:
    # Given two tenants that sent under keys, have results, have used their rate and their turns, and have held jobs
    broker.add_middleware(TenantLimits())
    broker.add_middleware(Idempotency())
    broker.add_middleware(Results(backend=SettledResults(broker), store_results=True, result_ttl=3_600_000))

    @dramatiq.actor(broker=broker, queue_name="export")
    def export(*, tenant_id: str, day: int) -> str:
        return f"the sales of {tenant_id} on day {day}"

    def send(tenant_id: str, day: int) -> dramatiq.Message[str]:
        options: dict[str, Any] = {"idempotency_key": f"day:{day}", "on_limit": "delay"}
        return export.send_with_options(kwargs={"tenant_id": tenant_id, "day": day}, **options)

    def left_of(tenant_id: str) -> list[str]:
        """What in Redis tells of a tenant."""
        held = everything(broker.client, broker.keys.prefix)
        return sorted(key for key, value in held.items() if tenant_id in f"{key} {value!r}")

    with shop.watched():
        shop.fill("acme", "other")
        for tenant_id in ("acme", "other"):
            shop.tenants.override(tenant_id, max_jobs_per_minute=8)
        worker = Worker(broker, queues={"export"}, worker_threads=2, worker_timeout=100)
        worker.start()
        first, *_ = [send("acme", day) for day in range(8)]
        other, *_ = [send("other", day) for day in range(8)]
        eventually(
            lambda: (
                broker.client.exists(broker.keys.result(first.message_id), broker.keys.result(other.message_id)) == 2
            )
        )
        worker.stop()
        before = left_of("other")
        assert left_of("acme")

        # When one of them is offboarded
        assert shop.purge.purge("acme").left == ()

        # Then there is no word of it, and all of the other
        eventually(lambda: broker.journal.lag()[0] == 0)
        assert left_of("acme") == []
        assert left_of("other") == before
        assert broker.audit().clean

        # And who comes by that name is a stranger: no job of it is a duplicate
        assert "duplicate" not in send("acme", 0).options
        assert send("other", 0).options["duplicate"]


def test_a_recorder_that_is_away_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a tenant whose jobs were recorded, and no monitor now
    with shop.watched():
        shop.fill("acme")
    monkeypatch.setattr(tenant_purge, "PATIENCE_SECONDS", 0.0)

    # When it is offboarded
    done = shop.purge.purge("acme")

    # Then that is said, and once more is enough
    assert [sentence for sentence in done.left if "the job log is behind" in sentence]
    monkeypatch.undo()
    with shop.watched():
        assert shop.purge.purge("acme").left == ()
    assert set(shop.purge.count("acme").counts.values()) == {0}


def test_more_rows_than_one_slice(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenant_purge, "SLICE", 10)
    insert = "INSERT INTO {0} SELECT 'job-' || n, 'name', '{1}', 'intended', 'w:1' FROM generate_series(1, 25) AS n"
    plain_sql(shop.url, insert.format("effects (job_id, name, tenant_id, status, run)", "acme"))

    assert shop.purge.purge("acme").counts["effects"] == 25
    assert rows(shop.url, "SELECT FROM effects") == []


def test_its_limits_are_gone_also_where_no_monitor_runs(shop: Shop) -> None:
    shop.tenants.set_plan("acme", "pro")
    shop.tenants.set_plan("other", "pro")

    shop.purge.purge("acme")

    assert list(shop.broker.client.hkeys(f"{shop.broker.keys.prefix}:tenants")) == [b"other"]


def test_without_files_that_is_said(shop: Shop) -> None:
    done = TenantPurge(shop.broker, shop.database).purge("acme")

    assert done.left == ("its files were not looked at",)
    assert "files" not in done.counts


def test_a_tenant_that_cannot_be(shop: Shop) -> None:
    for act in (shop.purge.count, shop.purge.purge):
        with pytest.raises(InvalidPayload, match="allowed are"):
            act("a:b")


def test_by_command(shop: Shop, fleet_environment: dict[str, str]) -> None:
    def purge(*words: str) -> Any:
        return run(fleet_environment, "tenants", "purge", "acme", *words)

    with shop.watched():
        shop.fill("acme")

        # When nobody confirms, nothing happens
        counted = parsed(purge("--dry-run", "--json"))
        refused(purge(), "nothing was purged", "--yes")
        assert counted["counts"]["files"] == 2
        assert parsed(purge("--dry-run", "--json")) == counted

        # When somebody does, it is gone
        outcome = purge("--yes")

    assert (outcome.status, outcome.errors) == (0, "")
    assert "had, and has no more," in outcome.output
    assert "         4 job logs" in outcome.output
    assert set(shop.purge.count("acme").counts.values()) == {0}
