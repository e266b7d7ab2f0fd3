"""PostgreSQL away, or on a full disk, under load: jobs go on, and the log catches up."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from databases import new_database
from faults_fleet import PATIENCE, FaultFleet, fault_fleet, nap
from faults_sender import Sender
from journal_events import rows
from wait import eventually

from jobfleet.broker.errors import BacklogFull
from jobfleet.broker.settings import settings
from jobfleet.cli.embedded_postgres import EmbeddedPostgres
from jobfleet.deploy.migrate import migrate

#: The largest file that a server on the "full disk" may write: that of its write-ahead log, no more.
LARGEST_FILE = f"{16 * 1024 * 1024}"
#: Where a file of the write-ahead log, of 16 MiB, ends on the disk that has no room for it.
LOG_OFFSET = 1024 * 1024
COUNT = "SELECT count(*) AS n FROM job_logs WHERE status = 'completed'"


@pytest.fixture(scope="module")
def server(servers_directory: Path) -> Iterator[EmbeddedPostgres]:
    """A server of these tests' own. Killed, it loses what it said it has, but for what the recorder commits."""
    config = {"synchronous_commit": "off", "full_page_writes": "on"}
    server = EmbeddedPostgres(servers_directory / "hurt", fsync=False, config=config)
    server.start()
    yield server
    server.remove()


@pytest.fixture
def fleet(tmp_path: Path, fleet_environment: dict[str, str], server: EmbeddedPostgres) -> Iterator[FaultFleet]:
    with new_database(server.url, "template0") as url:
        migrate(url)
        with fault_fleet(tmp_path, fleet_environment | {"DATABASE_URL": url}) as fleet:
            yield fleet
        if server.pid is None:
            server.start()


@pytest.fixture
def prlimit() -> None:
    """What sets the limits of other processes is there; without it a developer's run skips, CI's fails."""
    if shutil.which("prlimit") is None:
        if "CI" in os.environ:
            raise FileNotFoundError("prlimit is missing: apt-get install util-linux")
        pytest.skip("prlimit is not installed")


@pytest.mark.parametrize("crash", [False, True], ids=["stopped", "killed"])
def test_jobs_go_on_without_postgresql_and_the_log_catches_up(
    fleet: FaultFleet, server: EmbeddedPostgres, crash: bool
) -> None:
    suffer(fleet, server, crash, jobs=600)


@pytest.mark.soak
def test_jobs_go_on_for_half_a_minute_without_postgresql(fleet: FaultFleet, server: EmbeddedPostgres) -> None:
    suffer(fleet, server, crash=False, jobs=15_000)


def suffer(fleet: FaultFleet, server: EmbeddedPostgres, crash: bool, jobs: int) -> None:
    monitor = fleet.monitor()
    fleet.worker(threads=4)
    with Sender(fleet.proxy.url, fleet.namespace, range(jobs)) as sending:
        # Given a database that goes away when some jobs are recorded and more are coming
        eventually(lambda: rows(fleet.database_url, COUNT)[0]["n"] >= 50, PATIENCE)
        server.kill() if crash else server.stop()

        # When all are sent and done without it
        sending.finish(PATIENCE * 2)
        assert sending.refusals == []
    fleet.await_completed(jobs)
    assert fleet.broker.journal.lag()[0] > 0
    server.start()

    # Then the log catches up
    fleet.prove(completed=jobs)
    assert monitor.errors.count("The recorder cannot record") == 1, "the outage was told once"


@pytest.mark.usefixtures("prlimit")
def test_a_full_disk_under_postgresql_stops_the_log_and_nothing_else(
    fleet: FaultFleet, server: EmbeddedPostgres
) -> None:
    # Given a database that cannot make its tables larger
    monitor = fleet.monitor()
    limit_files(server, LARGEST_FILE)
    fleet.worker(threads=4)

    # When more is to be logged than there is room for
    jobs = 150
    for number in range(jobs):
        # Letters at random, so that no compression makes room.
        fleet.broker.enqueue(nap(number, ballast=secrets.token_urlsafe(150_000)))
    fleet.await_completed(jobs)
    monitor.says("The recorder cannot record", PATIENCE)
    assert fleet.broker.journal.lag()[0] > 0

    # Then jobs have gone on, and the log catches up when there is room again
    fleet.send(range(jobs, jobs + 10))
    fleet.await_completed(jobs + 10)
    assert rows(fleet.database_url, COUNT)[0]["n"] < jobs
    limit_files(server, "unlimited")
    fleet.prove(completed=jobs + 10)
    (row,) = rows(fleet.database_url, "SELECT count(*) AS n FROM job_logs WHERE payload IS NULL")
    assert row["n"] == 0, "the disk was not taken for a fault of the data"


@pytest.mark.usefixtures("prlimit")
def test_a_full_disk_under_the_write_ahead_log_stops_postgresql_and_nothing_else(
    fleet: FaultFleet, server: EmbeddedPostgres
) -> None:
    # Given a database that has recorded some jobs
    monitor = fleet.monitor()
    fleet.worker(threads=4)
    fleet.send(range(20))
    eventually(lambda: rows(fleet.database_url, COUNT)[0]["n"] == 20, PATIENCE)

    # When there is no room for another byte of its write-ahead log
    fill_log(fleet.database_url)
    limit_files(server, f"{LOG_OFFSET}")
    fleet.send(range(20, 200))

    # Then PostgreSQL gives up, its own recovery included; jobs go on
    eventually(lambda: not answers(fleet.database_url), PATIENCE)
    fleet.await_completed(200)
    fleet.send(range(200, 220))
    fleet.await_completed(220)
    assert not answers(fleet.database_url)
    assert fleet.broker.journal.lag()[0] > 0

    # And the log catches up when somebody has made room, ended what is left of the server and started it
    server.kill()
    server.start()
    fleet.prove(completed=220)
    assert monitor.errors.count("The recorder cannot record") == 1, "the outage was told once"


def answers(url: str) -> bool:
    """Whether the server lets anybody in."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def fill_log(url: str) -> None:
    """Write into a file of the write-ahead log beyond LOG_OFFSET, so that its next byte lies there too."""
    place = "SELECT file_offset FROM pg_walfile_name_offset(pg_current_wal_insert_lsn())"
    message = f"SELECT pg_logical_emit_message(TRUE, 'room', repeat('x', {LOG_OFFSET}))"
    while rows(url, place)[0]["file_offset"] < 2 * LOG_OFFSET:
        rows(url, message)


def limit_files(server: EmbeddedPostgres, size: str) -> None:
    """What ``ulimit -f`` does, for a server that runs and all that it will start; asked for by its own user."""
    assert server.pid is not None
    owner = Path(f"/proc/{server.pid}").stat()
    become: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    for pid in (str(server.pid), *children):
        command = ["prlimit", f"--pid={pid}", f"--fsize={size}:"]
        done = subprocess.run(command, check=False, **(become if os.getuid() == 0 else {}))
        assert done.returncode == 0 or not Path(f"/proc/{pid}").exists()


def test_a_journal_at_its_cap_refuses_sends_and_never_a_settle(
    fleet: FaultFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a recorder that has stopped, and a worker that runs four jobs
    monkeypatch.setenv("JOBFLEET_JOURNAL_MAX", "1000")
    settings.cache_clear()
    monitor = fleet.monitor()
    fleet.worker(threads=4)
    fleet.send(range(4), 2.0)
    fleet.await_lines("start", 4)
    monitor.terminate()
    assert monitor.wait(PATIENCE).status == 0

    # When an application sends until the journal is at its cap
    jobs = 1_200
    with Sender(fleet.proxy.url, fleet.namespace, range(10, 10 + jobs), pause=0.0) as sending:
        eventually(lambda: sending.refusals, PATIENCE)
        assert {type(refusal) for refusal in sending.refusals} == {BacklogFull}
        assert "monitor" in str(sending.refusals[0]), "it says where to look"

        # Then everything that was accepted completes, what runs and what waits
        fleet.await_completed(4 + sending.accepted)
        assert fleet.broker.journal.lag()[0] >= 1_000

        # And sends are accepted again once somebody records
        fleet.monitor()
        sending.finish(PATIENCE)
    fleet.await_completed(4 + jobs)
    fleet.prove(completed=4 + jobs)
    assert Counter(line[1] for line in fleet.lines("end")) == Counter(map(str, [*range(4), *range(10, 10 + jobs)]))
