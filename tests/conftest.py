"""Fixtures: real servers, started once per run by us and by nobody else."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from databases import new_database
from processes import bare_environment, setting_names

from jobfleet.broker.errors import ConfigurationError
from jobfleet.broker.settings import settings
from jobfleet.cli.embedded_alertmanager import EmbeddedAlertmanager
from jobfleet.cli.embedded_postgres import EmbeddedPostgres
from jobfleet.cli.embedded_prometheus import PROMPT, EmbeddedPrometheus
from jobfleet.cli.embedded_redis import EmbeddedRedis
from jobfleet.cli.embedded_server import EmbeddedServer
from jobfleet.cli.embedded_watch import refuse_missing_programs

if TYPE_CHECKING:
    from dramatiq import Worker
    from http_client import Client
    from watching import RunAlertmanager, RunPrometheus
    from worker_threads import StartWorker

    from jobfleet.broker import FairBroker
    from jobfleet.middleware.database import Database

Server = TypeVar("Server", bound=EmbeddedServer)


def start_or_skip(server: EmbeddedServer) -> None:
    """Start a server; without its wheel or program a developer's run skips what needs it, CI's fails."""
    with installed_or_skip():
        server.start()


@contextmanager
def installed_or_skip() -> Iterator[None]:
    """Skip what needs something that is not installed, unless this is CI."""
    try:
        yield
    except ConfigurationError as error:
        if "not installed" not in str(error) or "CI" in os.environ:
            raise
        pytest.skip(str(error))


def ended(server: Server) -> Iterator[Server]:
    """A server that runs, removed at the end."""
    try:
        yield server
    finally:
        server.remove()


#: Files whose tests take longest: whole fleets in real processes, demos, models. They come first, the longest of them
#: foremost; otherwise one process of tests is busy with them when the others have nothing left to do.
LONGEST = (
    "test_demo", "test_faults_unreachable", "test_model", "test_demo_outage", "test_faults_postgres",
    "test_faults_redis", "test_cli_up", "test_benchmarks_tenants", "test_faults_poison", "test_faults_clock",
    "test_faults_kill", "test_faults_recorder", "test_demo_end", "test_alert_loop", "test_faults_sigterm", "test_faults_frozen",
    "test_limits_model", "test_limits_races", "test_limits_frozen", "test_worker_processes", "test_supervisor",
    "test_examples", "test_cli_worker", "test_effects_guard", "test_admin_schema",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files come first; the others, and the tests of each, stay in their order."""
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(ranks)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what tests print fit to be sent between the processes that run them: some print what no encoding knows."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "replace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(scope="session", autouse=True)
def interruptible_children() -> None:
    """Let commands that tests start hear Ctrl-C, also when a shell has started the tests in the background.

    Such a shell has interrupts ignored, which processes hand on to those that they start; a handler they do not.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def clean_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No test sees the developer's own configuration, nor what another test has read."""
    for name in setting_names():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JOBFLEET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JOBFLEET_CONFIG", str(tmp_path / "jobfleet.toml"))
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture(scope="session")
def servers_directory() -> Iterator[Path]:
    """A folder that PostgreSQL's own user can reach when the tests run as root, unlike pytest's."""
    directory = Path(tempfile.mkdtemp(prefix="jobfleet-tests-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_server(servers_directory: Path) -> Iterator[EmbeddedRedis]:
    """One Redis server for the run; each test has its own namespace in it."""
    server = EmbeddedRedis(servers_directory / "redis", config={"appendonly": "no"})
    start_or_skip(server)
    yield server
    server.remove()


@pytest.fixture(scope="session")
def postgres_server(servers_directory: Path) -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL server for the run; each test has its own database in it."""
    server = EmbeddedPostgres(servers_directory / "postgres", fsync=False)
    start_or_skip(server)
    yield server
    server.remove()


@pytest.fixture(scope="session")
def watch_programs() -> None:
    """Prometheus and Alertmanager are installed, for tests of what starts them itself."""
    with installed_or_skip():
        refuse_missing_programs()


@pytest.fixture(scope="session")
def run_prometheus(servers_directory: Path) -> RunPrometheus:
    """Runs a Prometheus of a configuration (text, or a file's path) while a block runs; it waits for nothing."""

    @contextmanager
    def run(
        configuration: str | Path, *, alertmanagers: int = 0, flags: Sequence[str] = PROMPT
    ) -> Iterator[EmbeddedPrometheus]:
        directory = Path(tempfile.mkdtemp(dir=servers_directory, prefix="prometheus-"))
        server = EmbeddedPrometheus(directory, configuration, alertmanagers=alertmanagers, flags=flags)
        start_or_skip(server)
        yield from ended(server)

    return run


@pytest.fixture(scope="session")
def run_alertmanager(servers_directory: Path) -> RunAlertmanager:
    """Runs an Alertmanager of a configuration (text, or a file's path) while a block runs."""

    @contextmanager
    def run(configuration: str | Path, *, flags: Sequence[str] = ()) -> Iterator[EmbeddedAlertmanager]:
        directory = Path(tempfile.mkdtemp(dir=servers_directory, prefix="alertmanager-"))
        server = EmbeddedAlertmanager(directory, configuration, flags=flags)
        start_or_skip(server)
        yield from ended(server)

    return run


@pytest.fixture
def redis_url(redis_server: EmbeddedRedis) -> str:
    """The address of the run's Redis server."""
    return redis_server.url


@pytest.fixture
def namespace() -> str:
    """A namespace that no other test uses."""
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
def broker(redis_url: str, namespace: str) -> Iterator[FairBroker]:
    """A broker with Dramatiq's own middleware, in a namespace of its own."""
    from jobfleet.broker import FairBroker

    fair_broker = FairBroker(url=redis_url, namespace=namespace)
    yield fair_broker
    fair_broker.close()


@pytest.fixture
def start_worker(broker: FairBroker) -> Iterator[StartWorker]:
    """Starts workers on the broker in this process; they are stopped, and the audit is clean, in the end."""
    from dramatiq import Worker

    workers: list[Worker] = []

    def start(*, threads: int = 4, queues: set[str] | None = None) -> Worker:
        worker = Worker(broker, worker_threads=threads, worker_timeout=100, queues=queues)
        worker.start()
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        worker.stop()
    assert broker.audit().clean, str(broker.audit())


@pytest.fixture(scope="session")
def empty_database(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The address of a migrated database that tests copy and never write to."""
    from jobfleet.deploy.migrate import migrate

    with new_database(postgres_server.url, "template0") as url:
        migrate(url)
        yield url


@pytest.fixture
def database_url(postgres_server: EmbeddedPostgres, empty_database: str) -> Iterator[str]:
    """The address of a fresh, migrated database."""
    with new_database(postgres_server.url, urlsplit(empty_database).path[1:]) as url:
        yield url


@pytest.fixture
def unmigrated_database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The address of a database in which nothing is."""
    with new_database(postgres_server.url, "template0") as url:
        yield url


@pytest.fixture
def fleet_environment(redis_url: str, database_url: str, namespace: str, tmp_path: Path) -> dict[str, str]:
    """What a process of a fleet gets to see: this run's servers, this test's namespace, database and home."""
    return bare_environment() | {
        "REDIS_URL": redis_url,
        "DATABASE_URL": database_url,
        "JOBFLEET_NAMESPACE": namespace,
        "JOBFLEET_HOME": str(tmp_path / "home"),
        "JOBFLEET_CONFIG": str(tmp_path / "jobfleet.toml"),
        "JOBFLEET_MONITOR_PORT": "0",
    }


@pytest.fixture
def pool(database_url: str) -> Iterator[Database]:
    """The database as the fleet uses it."""
    from jobfleet.middleware.database import Database

    pool = Database(database_url)
    yield pool
    pool.close()


@pytest.fixture
def served(broker: FairBroker, pool: Database) -> Iterator[str]:
    """Where the monitor's HTTP of this test's fleet is answered."""
    from admin_site import TOKENS, monitored

    from jobfleet.middleware.archive import PostgresArchive
    from jobfleet.monitoring.admin.server import AdminServer

    broker.archive = PostgresArchive(pool)
    with AdminServer(monitored(broker, pool), TOKENS, "127.0.0.1", 0) as server:
        yield server.url


@pytest.fixture
def admin(served: str) -> Iterator[Client]:
    """A client with the admin's token."""
    from admin_site import TOKENS
    from http_client import Client

    with Client(served, TOKENS.admin) as client:
        yield client


@pytest.fixture
def viewer(served: str) -> Iterator[Client]:
    """A client with the viewer's token."""
    from admin_site import TOKENS
    from http_client import Client

    with Client(served, TOKENS.viewer) as client:
        yield client
