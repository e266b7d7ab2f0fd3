"""The way to PostgreSQL: one pool per process, opened when it is first used.

1. Nothing happens at import or construction; the first ``connection()`` opens the pool.
2. A process that was forked opens a pool of its own, as a connection cannot be shared with the parent.
3. A borrowed connection is checked first, so a server that was restarted is back without anybody's help.
4. While the server is away a borrower first tries one plain connection: it fails at once and says why, where the
   pool would wait its whole timeout and could not say.
5. Whatever means "the server is away" is ``Unavailable``, by which a job is postponed without an attempt.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from ..broker.errors import ConfigurationError, Unavailable
from ..broker.settings import settings

#: A connection whose rows are dictionaries.
Connection = psycopg.Connection[DictRow]

#: Seconds to wait for the server to answer a new connection.
CONNECT_TIMEOUT_SECONDS = 3
#: Connections that one process holds at most; a worker's threads rarely all need one at once.
POOL_MAX = 20
#: Seconds after which a connection that nobody uses is closed.
IDLE_SECONDS = 120.0

#: How libpq notices a peer that vanished without a word: within about 10 s.
KEEPALIVES = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
#: What the driver and the pool raise when the server cannot be reached or goes away.
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, PoolClosed, TooManyRequests)
#: What these say is about one statement of ours, not about a server that is away.
OUR_OWN = (errors.QueryCanceled, errors.LockNotAvailable)


class Database:
    """PostgreSQL as the fleet uses it.

    Parameters:
      url: where the server is, as a URL or a libpq connection string; may be a pooler.
      direct_url: the same database without a pooler, for advisory locks and LISTEN; the url if None.

    Raises:
      ConfigurationError: a URL cannot be read.
    """

    def __init__(self, url: str, direct_url: str | None = None) -> None:
        self._conninfo = _conninfo(url)
        self._direct_conninfo = _conninfo(direct_url) if direct_url else self._conninfo
        # A pooler may hand each transaction to another server session, which knows no prepared statement of ours.
        self._prepare_threshold = 5 if self._direct_conninfo == self._conninfo else None
        self._lock = threading.Lock()
        self._pool: ConnectionPool[Connection] | None = None
        self._pid = 0
        #: Whether the last thing known of the server is that it answered.
        self._proven = False

    def __repr__(self) -> str:
        return f"Database({self.address})"

    @property
    def address(self) -> str:
        """Host, port and database, without the password."""
        return _address(self._conninfo)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Borrow a connection; its transaction is committed at the end, or rolled back when an error leaves the block.

        Raises:
          Unavailable: the server cannot be reached, refuses, went away or is shutting down.
          ConfigurationError: a table is missing, so the migrations have not run.
        """
        with _explained(self._conninfo):
            try:
                self._prove()
                with self._opened().connection() as connection:
                    yield connection
            except AWAY:
                self._proven = False
                raise

    @contextmanager
    def direct(self) -> Iterator[Connection]:
        """A new connection past any pooler, in autocommit, closed at the end; for locks that last as long as it.

        Raises:
          Unavailable: as ``connection``.
        """
        conninfo = self._direct_conninfo
        with _explained(conninfo), psycopg.connect(conninfo, autocommit=True, row_factory=dict_row) as connection:
            yield connection

    def close(self) -> None:
        """Close the pool; the next use opens another."""
        with self._lock:
            pool, self._pool = self._pool, None
            if pool and self._pid == os.getpid():
                pool.close(timeout=1.0)

    def _prove(self) -> None:
        if not self._proven:
            psycopg.connect(self._conninfo).close()
            self._proven = True

    def _opened(self) -> ConnectionPool[Connection]:
        with self._lock:
            if self._pool is None or self._pid != os.getpid():
                self._pool = self._new_pool()
                self._pid = os.getpid()
            return self._pool

    def _new_pool(self) -> ConnectionPool[Connection]:
        options: dict[str, Any] = {"row_factory": dict_row, "prepare_threshold": self._prepare_threshold}
        return ConnectionPool(
            self._conninfo,
            kwargs=options,
            min_size=0,
            max_size=POOL_MAX,
            open=True,
            check=ConnectionPool.check_connection,
            timeout=CONNECT_TIMEOUT_SECONDS,
            reconnect_timeout=CONNECT_TIMEOUT_SECONDS,
            max_idle=IDLE_SECONDS,
            num_workers=1,
            name="jobfleet",
        )


@lru_cache(maxsize=1)
def database() -> Database:
    """The database of this process, as the settings name it.

    Raises:
      ConfigurationError: no DATABASE_URL is set and no fleet runs under JOBFLEET_HOME.
    """
    chosen = settings()
    if not chosen.database_url:
        raise ConfigurationError(
            "DATABASE_URL is not set and no fleet runs here; set it, such as postgresql://user@host/name"
        )
    return Database(chosen.database_url, chosen.database_direct_url)


@contextmanager
def _explained(conninfo: str) -> Iterator[None]:
    """Turn the driver's errors into ours; those that a caller's own statement caused pass as they are."""
    try:
        yield
    except OUR_OWN:
        raise
    except AWAY as error:
        raise Unavailable(f"PostgreSQL at {_address(conninfo)} is away: {_first_line(error)}") from error
    except errors.UndefinedTable as error:
        raise ConfigurationError(f'{_first_line(error)}; have the migrations run? ("jobfleet migrate")') from error


def _conninfo(url: str) -> str:
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # The driver's text may quote the password.
        raise ConfigurationError(
            "DATABASE_URL cannot be read; it must look like postgresql://user:password@host:5432/name"
        ) from None
    own: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "application_name": "jobfleet", **KEEPALIVES}
    return make_conninfo("", **{**own, **given})


def _address(conninfo: str) -> str:
    parts = conninfo_to_dict(conninfo)
    host = parts.get("host") or parts.get("hostaddr") or "localhost"
    return f"{host}:{parts.get('port') or 5432}/{parts.get('dbname') or parts.get('user') or ''}"


def _first_line(error: Exception) -> str:
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        return error.diag.message_primary
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
