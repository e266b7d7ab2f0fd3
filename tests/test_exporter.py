"""The exporter's numbers equal what somebody counts who knows nothing of it."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import dramatiq
import pytest
from dramatiq import Message, Worker
from house import HOUSE
from published_limits import published
from scraped import promtool, scrape
from wait import eventually
from wide_limits import give_weights

from jobfleet.broker import FairBroker
from jobfleet.broker.errors import AdmissionError
from jobfleet.broker.inspector import UNSEEN
from jobfleet.broker.limits import Limits
from jobfleet.broker.settings import settings
from jobfleet.middleware.database import Database
from jobfleet.middleware.idempotency import Idempotency
from jobfleet.middleware.job_log import JobLog
from jobfleet.middleware.tenant_limits import TenantLimits
from jobfleet.monitoring.exporter import Exporter
from jobfleet.monitoring.metrics import BUCKETS_MS, COUNTERS, UNACCOUNTED
from jobfleet.monitoring.monitor import Monitor

FREE = Limits(plan="free", concurrency=2, per_minute=10, weight=1, max_backlog=1_000)
KEYED: dict[str, Any] = {"idempotency_key": "order:17", "idempotency_ttl": 60_000}


@pytest.fixture
def pool(database_url: str) -> Iterator[Database]:
    pool = Database(database_url)
    yield pool
    pool.close()


@pytest.fixture
def exporter(broker: FairBroker, pool: Database) -> Exporter:
    return Exporter(broker, pool)


class Town:
    """A fleet in which everything happens that is counted, with a monitor and workers."""

    def __init__(self, broker: FairBroker, pool: Database) -> None:
        self.broker, self.monitor, self._pool, self.mended = broker, Monitor(broker, pool), pool, False
        for middleware in (TenantLimits(), Idempotency(), JobLog()):
            broker.add_middleware(middleware)
        tried: set[str] = set()

        @dramatiq.actor(broker=broker, queue_name="email")
        def good(*, tenant_id: str, number: int = 0) -> None: ...

        @dramatiq.actor(broker=broker, queue_name="email", max_retries=2, min_backoff=1)
        def second_time(*, tenant_id: str, name: str) -> None:
            if name not in tried:
                tried.add(name)
                raise ValueError("the first time")

        @dramatiq.actor(broker=broker, queue_name="zoo", max_retries=0)
        def never(*, tenant_id: str) -> None:
            if not self.mended:
                raise RuntimeError("as always")

        self.good, self.second_time, self.never = good, second_time, never

    def live(self, happen: Callable[[], None] | None = None) -> None:
        """Let it all happen, or what is given; at the end nothing runs and all is recorded."""
        stop = threading.Event()
        watching = threading.Thread(target=self.monitor.run, args=(stop,))
        worker = Worker(self.broker, worker_threads=4, worker_timeout=100)
        watching.start()
        worker.start()
        try:
            (happen or self._happen)()
            eventually(lambda: self.monitor.recorder.lag() == (0, 0.0))
        finally:
            worker.stop()
            stop.set()
            watching.join(timeout=30)

    def _happen(self) -> None:
        eventually(lambda: not self.broker.limits.is_empty())
        with self._pool.connection() as connection:
            connection.execute("INSERT INTO tenants (tenant_id, plan) VALUES ('rich', 'pro')")
        eventually(lambda: published(self.broker, "rich")[0] == "pro")
        for number in range(12):
            with suppress(AdmissionError):
                self.good.send(tenant_id="poor", number=number)
        for number in (1, 1, 2):
            with suppress(AdmissionError):
                self.good.send_with_options(kwargs={"tenant_id": "rich", "number": number}, **KEYED)
        for name in "abc":
            self.second_time.send(tenant_id="rich", name=name)
        dead = [self.never.send(tenant_id="rich").message_id for _ in range(5)]
        eventually(lambda: len(self.broker.dead_letters.list(queue="zoo")) == 5)
        self.mended = True
        self.broker.dead_letters.replay(dead[:2])
        self.broker.dead_letters.discard(dead[2:3])
        later = self.good.send_with_options(kwargs={"tenant_id": "rich"}, delay=3_600_000)
        self.good.send_with_options(kwargs={"tenant_id": "rich"}, delay=3_600_000)
        self.broker.cancel(later.message_id)
        eventually(lambda: all(stats.waiting + stats.active == 0 for stats in self.broker.stats()))
        eventually(lambda: self.broker.stats(["email"])[0].delayed == 1)


def rows(pool: Database, statement: str) -> dict[tuple[Any, ...], float]:
    """What SQL counts: the last column by those before it."""
    with pool.connection() as connection:
        found = [tuple(row.values()) for row in connection.execute(statement.encode())]
    return {tuple(labels): float(value) for *labels, value in found}


def test_after_a_busy_day_all_numbers_are_those_of_an_independent_count(
    broker: FairBroker, pool: Database, exporter: Exporter
) -> None:
    # Given a day on which everything happens
    town = Town(broker, pool)
    town.live()

    # When the fleet is scraped
    exporter.stored.look()
    exporter.audits.look()
    seen = scrape(exporter)

    # Then the counters are what SQL counts in the log
    sent = rows(pool, "SELECT queue, job_type, count(*) FROM job_logs GROUP BY 1, 2")
    assert seen.series("jobfleet_jobs_enqueued_total", "queue", "actor") == sent
    runs = "FROM job_attempts JOIN job_logs USING (job_id)"
    outcomes = rows(pool, f"SELECT queue, job_type, outcome, count(*) {runs} GROUP BY 1, 2, 3")
    cancelled = ("email", "good", "cancelled")
    ended = seen.series("jobfleet_jobs_processed_total", "queue", "actor", "outcome")
    assert ended == outcomes | {cancelled: 1.0}, "a job that is cancelled before it runs has no run"
    by_actor = rows(pool, f"SELECT queue, job_type, count(*) {runs} GROUP BY 1, 2")
    assert seen.series("jobfleet_job_run_seconds_count", "queue", "actor") == by_actor
    took = rows(pool, f"SELECT queue, job_type, sum(job_attempts.run_ms) / 1000 {runs} GROUP BY 1, 2")
    assert seen.series("jobfleet_job_run_seconds_sum", "queue", "actor") == pytest.approx(
        {labels: seconds for labels, seconds in took.items() if seconds}
    )
    by_queue = rows(pool, f"SELECT queue, count(*) {runs} GROUP BY 1")
    assert seen.series("jobfleet_job_wait_seconds_count", "queue") == by_queue
    assert seen.series("jobfleet_wait_slo_starts_total", "queue") == by_queue
    needed = f"SELECT queue, sum(attempt) {runs} WHERE outcome IN ('completed', 'failed') GROUP BY 1"
    assert seen.series("jobfleet_job_attempts_sum", "queue") == rows(pool, needed)

    # And what was refused, given up and sent again is what the day was made of
    assert seen.series("jobfleet_tenant_admitted_total", "plan", "queue") == {
        ("free", "email"): 10,
        ("pro", "email"): 6,
        ("pro", "zoo"): 5,
    }
    assert seen.series("jobfleet_tenant_refused_total", "plan", "queue", "reason") == {
        ("free", "email", "rate"): 2,
        ("pro", "email", "invalid"): 1,
    }
    assert seen.series("jobfleet_duplicates_total", "queue") == {("email",): 1}
    assert seen.series("jobfleet_dead_lettered_total", "queue", "actor", "reason") == {("zoo", "never", "exhausted"): 5}
    assert seen.series("jobfleet_dead_replayed_total", "queue") == {("zoo",): 2}
    assert seen.series("jobfleet_dead_discarded_total", "queue") == {("zoo",): 1}

    # And the gauges are what plain commands find in the keys
    client, prefix = broker.client, broker.keys.prefix
    here = {
        ("email", "scheduled"): float(client.zcard(f"{prefix}:scheduled:email")),
        ("zoo", "dead"): float(client.zcard(f"{prefix}:dead:zoo")),
    }
    assert here == {("email", "scheduled"): 1, ("zoo", "dead"): 2}
    assert seen.series("jobfleet_queue_jobs", "queue", "state") == here
    assert list(seen.series("jobfleet_dead_oldest_age_seconds", "queue")) == [("zoo",)]
    assert seen.series("jobfleet_source_up", "source") == {("redis",): 1, ("postgres",): 1}
    assert seen.series("jobfleet_jobs_unaccounted", "kind") == {}

    # And another monitor, which has just been started, says the same
    assert scrape(Exporter(broker, pool)).counters() == seen.counters()


def test_everything_is_there_at_0_before_anything_happens(broker: FairBroker, exporter: Exporter) -> None:
    # Given a fleet of which only a worker has been seen, with the actors that it knows
    @dramatiq.actor(broker=broker, queue_name="email")
    def good() -> None: ...

    worker = Worker(broker, worker_threads=3)
    worker.start()
    try:
        eventually(lambda: scrape(exporter).series("jobfleet_worker_threads", "queue") == {("email",): 3})
        seen = scrape(exporter)
    finally:
        worker.stop()

    # Then each counter has its series already
    assert {f"jobfleet_{metric.name}_total" for metric in COUNTERS} <= seen.names
    assert seen.value("jobfleet_jobs_processed_total", queue="email", actor="good", outcome="lost") == 0
    assert seen.value("jobfleet_dead_lettered_total", queue="email", actor="good", reason="exhausted") == 0
    assert seen.value("jobfleet_job_run_seconds_count", queue="email", actor="good") == 0
    for queue in settings().queues:
        assert seen.value("jobfleet_wait_slo_violations_total", queue=queue) == 0
        assert seen.value("jobfleet_job_wait_seconds_bucket", queue=queue, le="+Inf") == 0
        for plan in ("free", "starter", "pro", "enterprise"):
            assert seen.value("jobfleet_tenant_refused_total", plan=plan, queue=queue, reason="backlog") == 0
    assert seen.value("jobfleet_jobs_unaccounted", kind="lost") == 0
    assert seen.series("jobfleet_workers", "queue") == {("email",): 1}


def test_threads_that_may_not_run_a_queues_jobs_are_not_its_threads(broker: FairBroker, exporter: Exporter) -> None:
    # Given a worker with more threads than may run jobs of one of its queues at once
    @dramatiq.actor(broker=broker, queue_name="report")
    def write() -> None: ...

    @dramatiq.actor(broker=broker, queue_name="zoo")
    def feed() -> None: ...

    most = settings().queue("report").concurrency
    assert most == 5
    worker = Worker(broker, worker_threads=most + 3)
    worker.start()
    try:
        # Then each queue has the threads that it can get
        wanted = {("report",): most, ("zoo",): most + 3}
        eventually(lambda: scrape(exporter).series("jobfleet_worker_threads", "queue") == wanted)
    finally:
        worker.stop()


def test_what_a_tenants_own_limit_holds_up_is_parked_and_nobodys_wait(
    broker: FairBroker, exporter: Exporter, pool: Database
) -> None:
    # Given a tenant with one slot, a job that holds it, and two that wait for it
    broker.add_middleware(TenantLimits())
    broker.limits.publish({"free": FREE}, {"one": Limits("free", 1, 100, 1, 100)}, version=1)
    done = threading.Event()

    @dramatiq.actor(broker=broker, queue_name="zoo")
    def hold(*, tenant_id: str) -> None:
        done.wait(30)

    worker = Worker(broker, worker_threads=4)
    worker.start()
    try:
        for _ in range(3):
            hold.send(tenant_id="one")
        wanted = {("zoo", "active"): 1, ("zoo", "parked"): 2}

        # Then they are parked, one thread is busy, and the queue has no wait
        eventually(lambda: scrape(exporter).series("jobfleet_queue_jobs", "queue", "state") == wanted)
        seen = scrape(exporter)
        assert seen.series("jobfleet_worker_threads_busy", "queue") == {("zoo",): 1}
        assert seen.series("jobfleet_queue_oldest_wait_seconds", "queue") == {}
        assert list(seen.series("jobfleet_job_oldest_running_seconds", "queue")) == [("zoo",)]
    finally:
        done.set()
        eventually(lambda: broker.stats(["zoo"])[0].total == 0)
        worker.stop()

    # When jobs of somebody else wait, and nobody serves the queue
    hold.send(tenant_id="other")
    broker.pause("zoo")

    # Then there is a wait
    eventually(lambda: list(scrape(exporter).series("jobfleet_queue_oldest_wait_seconds", "queue")) == [("zoo",)])
    assert scrape(exporter).series("jobfleet_queue_paused", "queue") == {("zoo",): 1}


def test_dead_letters_that_only_postgresql_holds_keep_their_age(
    broker: FairBroker, pool: Database, exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a server that keeps one dead letter, and two that died one after the other
    monkeypatch.setenv("JOBFLEET_DEAD_LETTERS_MAX", "1")
    settings.cache_clear()
    town = Town(broker, pool)

    def two_deaths() -> None:
        town.never.send(tenant_id="poor")
        eventually(lambda: broker.stats(["zoo"])[0].failed == 1)
        town.never.send(tenant_id="poor")
        eventually(lambda: broker.stats(["zoo"])[0].failed == 2)

    town.live(two_deaths)
    (kept,) = broker.commands.zrevrange(broker.keys.dead("zoo"), 0, -1)

    # When the one that Redis has let go is an hour old, and the database has been looked at
    with pool.connection() as connection:
        older = "UPDATE dead_letters SET failed_at = failed_at - INTERVAL '1 hour' WHERE job_id <> %s"
        connection.execute(older.encode(), [kept.decode()])
    exporter.stored.look()
    seen = scrape(exporter)

    # Then both are counted, and the age is that of the older one
    assert seen.value("jobfleet_queue_jobs", queue="zoo", state="dead") == 2
    assert seen.value("jobfleet_dead_oldest_age_seconds", queue="zoo") > 3_600


def test_a_source_that_is_away_is_told_and_holds_up_no_scrape(broker: FairBroker, pool: Database) -> None:
    # Given a Redis and a PostgreSQL server that are not there
    nowhere = FairBroker(url="redis://127.0.0.1:1/0", namespace="x", middleware=[])
    away = Database("postgresql://nobody@127.0.0.1:1/none")
    try:
        exporter = Exporter(nowhere, away)
        exporter.stored.look()
        exporter.audits.look()

        # Then the page says so, and has no numbers that nobody has read
        seen = scrape(exporter)
        assert seen.value("jobfleet_source_up", source="redis") == 0
        assert seen.value("jobfleet_source_up", source="postgres") == 0
        assert "jobfleet_queue_jobs" not in seen.names

        # And one without the other has all of Redis
        half = Exporter(broker, away)
        half.stored.look()
        assert scrape(half).series("jobfleet_source_up", "source") == {("redis",): 1}
    finally:
        nowhere.close()
        away.close()


@pytest.mark.parametrize("limited", [False, True], ids=["without plans", "with plans"])
def test_a_scrape_asks_the_same_however_much_waits(broker: FairBroker, exporter: Exporter, limited: bool) -> None:
    # Given jobs of more tenants than one scrape looks at
    if limited:
        give_weights(broker, {f"tenant-{number}": 1 for number in range(600)})
    wait_in_line(broker, tenants=60, jobs=60)
    few = commands_of(broker, exporter)

    # When ten times as many tenants have many times as many jobs
    wait_in_line(broker, tenants=600, jobs=3_000)
    many = commands_of(broker, exporter)

    # Then the server has as much to do as before
    assert scrape(exporter).value("jobfleet_queue_jobs", queue="email", state="waiting") == 3_060
    assert many == few


def wait_in_line(broker: FairBroker, *, tenants: int, jobs: int) -> None:
    """Send jobs that nobody runs, to tenants in turn."""
    for start in range(0, jobs, 1_000):
        messages: list[Message[Any]] = [
            Message("email", "good", (), {"tenant_id": f"tenant-{number % tenants}"}, {})
            for number in range(start, min(jobs, start + 1_000))
        ]
        assert all(isinstance(outcome, Message) for outcome in broker.enqueue_many(messages))


def commands_of(broker: FairBroker, exporter: Exporter) -> Counter[str]:
    """The commands of one scrape, those in scripts included, by name."""
    scrape(exporter)
    before, _, after = calls(broker), scrape(exporter), calls(broker)
    return after - before


def calls(broker: FairBroker) -> Counter[str]:
    """The server's own count of commands; it is this test's alone."""
    found: dict[str, Any] = broker.client.info("commandstats")
    return Counter({name: seen["calls"] for name, seen in found.items() if name != "cmdstat_info"})


def test_promtool_has_nothing_to_say(broker: FairBroker, pool: Database, exporter: Exporter) -> None:
    Town(broker, pool).live()

    checked = promtool("check", "metrics", given=scrape(exporter).page)

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_the_page_says_what_it_is_written_in(exporter: Exporter) -> None:
    page, content_type = exporter.page()

    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert page.startswith(b"# HELP jobfleet_")


def test_buckets_are_those_of_the_scripts() -> None:
    text = (HOUSE / "broker/lua/histograms.lua").read_text()

    assert re.findall(r"\d+", text.partition("BUCKETS = {")[2].partition("}")[0]) == [
        str(bound) for bound in BUCKETS_MS
    ]


def test_every_kind_of_finding_has_its_series() -> None:
    scripts = "".join(path.read_text() for path in (HOUSE / "broker/lua").glob("audit_*.lua"))
    python = "".join(path.read_text() for path in (HOUSE / "broker").glob("*.py"))

    kinds = {*re.findall(r"found\('(\w+)'", scripts), *re.findall(r'Finding\("(\w+)"', python)}
    assert kinds - {UNSEEN} == set(UNACCOUNTED), "what was not looked at is not amiss"
