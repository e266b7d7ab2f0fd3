"""A fleet of several processes under load: what its monitors export is what somebody counts who does not ask them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from counted_fleet import IN_THE_LOG, CountedFleet, counted_in_the_log
from databases import open_again, shut
from http_client import Client
from journal_events import rows
from monitors import client_of, monitor, page
from published_limits import plain_sql, published
from scraped import Scraped
from wait import eventually

from jobfleet.broker.settings import settings

PATIENCE = 60.0


@pytest.fixture
def fleet(fleet_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CountedFleet]:
    for variable in ("REDIS_URL", "JOBFLEET_NAMESPACE"):
        monkeypatch.setenv(variable, fleet_environment[variable])
    settings.cache_clear()
    fleet = CountedFleet(fleet_environment, tmp_path)
    yield fleet
    fleet.broker.close()


def test_numbers_are_exact_whatever_happens_to_workers_monitors_and_the_log(
    fleet: CountedFleet, database_url: str
) -> None:
    with ExitStack() as stack:
        # Given a fleet with two monitors and two worker processes, of which one is killed with what it runs
        first, second = (stack.enter_context(monitor(fleet.environment)) for _ in range(2))
        stack.enter_context(fleet.workers())
        one, two = (stack.enter_context(client_of(process)) for process in (first, second))
        eventually(lambda: not fleet.broker.limits.is_empty(), PATIENCE)
        plain_sql(database_url, "INSERT INTO tenants (tenant_id, plan) VALUES ('rich', 'enterprise')")
        eventually(lambda: published(fleet.broker, "rich")[0] == "enterprise", PATIENCE)
        lose_a_worker(fleet, one)

        # When its tenants send, are refused, repeat themselves, fail, wait and give up
        live_a_day(fleet)

        # And PostgreSQL goes away, a monitor is killed, and more happens
        shut(database_url)
        eventually(lambda: page(two).value("jobfleet_source_up", source="postgres") == 0, PATIENCE)
        first.kill()
        before = done(page(two))
        for number in range(20):
            fleet.send("good", "rich", number=100 + number)
        for _ in range(2):
            fleet.send("never", "rich")

        # Then the counters go on without it
        eventually(lambda: done(page(two)) - before == 20, PATIENCE)
        eventually(lambda: page(two).series("jobfleet_dead_lettered_total", "queue")[("export",)] == 8, PATIENCE)
        assert page(two).value("jobfleet_journal_lag_entries") > 0

        # When it is back, another monitor is started, and all is recorded
        open_again(database_url)
        three = stack.enter_context(client_of(stack.enter_context(monitor(fleet.environment))))
        eventually(fleet.quiet, PATIENCE)
        eventually(lambda: page(two).value("jobfleet_journal_lag_entries") == 0, PATIENCE)
        fleet.broker.pause("analytics")
        for tenant in ("calm", "rich", "rich"):
            fleet.send("good", tenant, queue="analytics")
        eventually(lambda: page(two).value("jobfleet_journal_lag_entries") == 0, PATIENCE)

        # Then both monitors have the same counters, and they are those of the log and of the application
        seen = page(two)
        assert page(three).counters() == seen.counters()
        compare_with_the_log(seen, database_url)
        compare_with_the_application(seen, fleet)
        compare_with_the_keys(seen, fleet)
        assert fleet.broker.audit().clean


def lose_a_worker(fleet: CountedFleet, client: Client) -> None:
    """Two jobs run, the process of at least one is killed, and both come to their end elsewhere."""
    for tenant in ("calm", "rich"):
        fleet.send("until_told", tenant)
    # A run that is lost before anybody was told of it would be in the counters and not in the log.
    eventually(lambda: len(fleet.told_of()) == 2, PATIENCE)
    fleet.kill_one_that_runs()
    eventually(lambda: page(client).series("jobfleet_workers_lost_total") == {(): 1.0}, PATIENCE)
    fleet.told.touch()
    eventually(fleet.quiet, PATIENCE)


def live_a_day(fleet: CountedFleet) -> None:
    for number in range(14):
        fleet.send("good", "poor", number=number)
    for number in (*range(40), *range(5)):
        fleet.send("good", "rich", number=number, idempotency_key=f"order:{number}")
    fleet.send("good", "rich", number=99, idempotency_key="order:1")
    for _ in range(8):
        fleet.send("second_time", "rich")
    dead = [fleet.send("never", "rich") for _ in range(6)]
    later = [fleet.send("good", "rich", number=200 + each, delay=3_600_000) for each in range(3)]
    fleet.broker.cancel(str(later[0]))
    eventually(lambda: fleet.broker.stats(["export"])[0].failed == len(dead), PATIENCE)
    eventually(lambda: fleet.quiet() and fleet.broker.stats(["report"])[0].delayed == 2, PATIENCE)
    fleet.broker.dead_letters.discard([str(dead[0])])


def done(seen: Scraped) -> float:
    return seen.value("jobfleet_jobs_processed_total", queue="report", actor="good", outcome="completed")


def compare_with_the_log(seen: Scraped, database_url: str) -> None:
    for metric, (labels, _) in IN_THE_LOG.items():
        logged = counted_in_the_log(database_url, metric)
        if metric == "jobfleet_jobs_processed_total":
            # A job that is cancelled before it runs has no run.
            logged["report", "good", "cancelled"] = 1.0
        assert seen.series(metric, *labels) == logged, metric
    took = rows(database_url, "SELECT sum(run_ms) / 1000.0 AS s FROM job_attempts WHERE outcome <> 'lost'")[0]["s"]
    assert sum(seen.series("jobfleet_job_run_seconds_sum", "actor").values()) == pytest.approx(float(took))
    # A wait for a slot of the tenant's own is in the log only; that all others are exact is shown in test_exporter_waits.
    waits = "SELECT sum(job_attempts.wait_ms) / 1000.0 AS s FROM job_attempts JOIN job_logs USING (job_id)"
    waited = float(rows(database_url, f"{waits} WHERE queue = 'export'")[0]["s"])
    assert 0 <= seen.value("jobfleet_job_wait_seconds_sum", queue="export") <= waited + 1e-9


def compare_with_the_application(seen: Scraped, fleet: CountedFleet) -> None:
    assert seen.series("jobfleet_jobs_enqueued_total", "queue", "actor") == fleet.accepted
    refused = seen.series("jobfleet_tenant_refused_total", "plan", "queue", "reason")
    assert refused == {("free", "report", "rate"): fleet.heard["rate"], ("enterprise", "report", "invalid"): 1}
    assert fleet.heard == {"rate": 4, "duplicate": 5, "invalid": 1}
    assert seen.series("jobfleet_duplicates_total", "queue") == {("report",): fleet.heard["duplicate"]}
    admitted = seen.series("jobfleet_tenant_admitted_total", "plan", "queue")
    assert sum(admitted.values()) == fleet.accepted.total()


def compare_with_the_keys(seen: Scraped, fleet: CountedFleet) -> None:
    """By plain commands, as somebody types them who knows the keys."""
    client, prefix = fleet.broker.client, fleet.broker.keys.prefix
    found: dict[tuple[str, str], float] = {}
    for queue in ("report", "export", "ai", "analytics"):
        lines = list(client.scan_iter(match=f"{prefix}:line:{queue}:*"))
        found[queue, "waiting"] = sum(int(client.zcard(line)) for line in lines)
        for state in ("active", "scheduled", "dead"):
            found[queue, state] = int(client.zcard(f"{prefix}:{state}:{queue}"))
    assert seen.series("jobfleet_queue_jobs", "queue", "state") == {key: n for key, n in found.items() if n}
    assert found["analytics", "waiting"] == 3 and found["report", "scheduled"] == 2 and found["export", "dead"] == 7
    workers: Any = client.zrange(f"{prefix}:workers", 0, -1)
    threads: int = sum(int(client.hget(f"{prefix}:worker:{name.decode()}", "threads") or 0) for name in workers)
    assert seen.value("jobfleet_workers", queue="report") == len(workers) == 2
    assert seen.value("jobfleet_worker_threads", queue="report") == threads == 8
    assert seen.value("jobfleet_worker_threads", queue="ai") == 4
    assert seen.value("jobfleet_queue_paused", queue="analytics") == int(
        client.sismember(f"{prefix}:paused", "queue:analytics")
    )
