from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest
from journal_events import rows

from jobfleet.broker.errors import ConfigurationError, Unavailable
from jobfleet.broker.settings import settings
from jobfleet.cli.embedded_postgres import EmbeddedPostgres
from jobfleet.middleware.database import Database, database


@pytest.fixture
def pool(database_url: str) -> Iterator[Database]:
    pool = Database(database_url)
    yield pool
    pool.close()


def test_a_transaction_is_committed_or_rolled_back_as_a_whole(pool: Database) -> None:
    with pool.connection() as connection:
        connection.execute("CREATE TABLE seen (id INTEGER)")
    with pytest.raises(ZeroDivisionError), pool.connection() as connection:
        connection.execute("INSERT INTO seen VALUES (1)")
        raise ZeroDivisionError

    with pool.connection() as connection:
        assert connection.execute("SELECT count(*) AS n FROM seen").fetchone() == {"n": 0}


def test_a_server_that_is_away_is_unavailable_and_heals_by_itself(
    pool: Database, postgres_server: EmbeddedPostgres
) -> None:
    # Given a pool that was used
    with pool.connection() as connection:
        connection.execute("SELECT 1")

    # When the server stops, every use says so
    postgres_server.stop()
    try:
        for _ in range(2):
            with pytest.raises(Unavailable, match="is away"), pool.connection() as connection:
                connection.execute("SELECT 1")
        with pytest.raises(Unavailable, match="is away"), pool.direct():
            pass
    finally:
        postgres_server.start()

    # Then the first use after its return works
    with pool.connection() as connection:
        assert connection.execute("SELECT 1 AS one").fetchone() == {"one": 1}


def test_a_connection_that_is_cut_in_the_middle_is_unavailable(pool: Database, database_url: str) -> None:
    with pytest.raises(Unavailable, match="terminating connection"), pool.connection() as connection:
        rows(database_url, "SELECT pg_terminate_backend(%s)", connection.info.backend_pid)
        connection.execute("SELECT 1")

    with pool.connection() as connection:
        connection.execute("SELECT 1")


def test_what_a_statement_itself_did_wrong_passes_as_it_is(pool: Database) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero), pool.connection() as connection:
        connection.execute("SELECT 1 / 0")
    with pytest.raises(psycopg.errors.QueryCanceled), pool.connection() as connection:
        connection.execute("SET LOCAL statement_timeout = 10")
        connection.execute("SELECT pg_sleep(5)")


def test_a_missing_table_asks_for_the_migrations(unmigrated_database_url: str) -> None:
    pool = Database(unmigrated_database_url)
    with (
        pytest.raises(ConfigurationError, match=r'"job_logs" does not exist.*jobfleet migrate'),
        pool.connection() as c,
    ):
        c.execute("SELECT * FROM job_logs")
    pool.close()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_has_a_pool_of_its_own(pool: Database) -> None:
    # Given a pool that the parent has used
    with pool.connection() as connection:
        mine = connection.info.backend_pid

    # When a child that was forked uses it
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with pool.connection() as connection:
                os.write(writer, str(connection.info.backend_pid).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        theirs = pipe.read()
    os.waitpid(child, 0)

    # Then it had another connection, and the parent's works
    assert theirs
    assert theirs != str(mine)
    with pool.connection() as connection:
        connection.execute("SELECT 1")


def test_an_address_that_cannot_be_read_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigurationError, match="must look like postgresql://") as caught:
        Database("postgresql://me:sesame@[broken")

    assert "sesame" not in str(caught.value)
    assert "sesame" not in repr(Database("postgresql://me:sesame@127.0.0.1/fleet"))


def test_the_database_of_the_process_is_the_configured_one(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    database.cache_clear()
    with pytest.raises(ConfigurationError, match="DATABASE_URL is not set"):
        database()

    monkeypatch.setenv("DATABASE_URL", database_url)
    settings.cache_clear()
    with database().connection() as connection:
        connection.execute("SELECT 1")

    database().close()
    database.cache_clear()
