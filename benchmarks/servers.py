"""The servers of a benchmark: a fresh Redis for each stage, one PostgreSQL for the run with a fresh database each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import redis

from jobfleet.benchmarks.processes import cpu_seconds, with_children
from jobfleet.cli.embedded_postgres import EmbeddedPostgres
from jobfleet.cli.embedded_redis import EmbeddedRedis


class Server(Protocol):
    """What a measurement asks of a contender's server."""

    url: str

    def cpu(self) -> float:
        """CPU seconds that it has used."""

    def trips(self) -> int:
        """Requests that it has been sent (reads from its sockets; transactions of PostgreSQL)."""


class RedisServer:
    """A running Redis or Valkey server."""

    def __init__(self, server: EmbeddedRedis) -> None:
        self.url = server.url
        self.client = redis.Redis.from_url(server.url, protocol=2, decode_responses=True)

    def cpu(self) -> float:
        """CPU seconds that it has used."""
        found = self.client.info("cpu")
        return float(found["used_cpu_user"] + found["used_cpu_sys"])

    def trips(self) -> int:
        """Reads from its sockets: a round trip is one, however many commands it carries."""
        return int(self.client.info("stats")["total_reads_processed"])


class PostgresServer:
    """A database on a running PostgreSQL server."""

    def __init__(self, server: EmbeddedPostgres, url: str) -> None:
        self.url = url
        self._server = server

    def cpu(self) -> float:
        """CPU seconds of the server and all its backends."""
        return cpu_seconds(with_children(self._server.pid or 0))

    def trips(self) -> int:
        """Transactions."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
            return int((row.fetchone() or [0])[0])


@contextmanager
def fresh_redis(directory: Path, *, append_only: bool) -> Iterator[RedisServer]:
    """A new server without data, on a port of its own, as a fleet would reach it over a network."""
    server = EmbeddedRedis(directory, config={"appendonly": "yes" if append_only else "no"}, tcp=True)
    with server:
        running = RedisServer(server)
        try:
            yield running
        finally:
            running.client.close()
    server.remove()


@contextmanager
def fresh_database(server: EmbeddedPostgres) -> Iterator[PostgresServer]:
    """A new, empty database."""
    name = f"bench_{uuid4().hex[:8]}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield PostgresServer(server, urlunsplit(urlsplit(server.url)._replace(path=f"/{name}")))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
