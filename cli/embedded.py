"""Servers for a fleet that was given none.

1. Whatever ``REDIS_URL`` and ``DATABASE_URL`` (or the configuration file) name is used as it is. Where both are named,
   nothing is started and no home is needed.
2. For the rest a real server is started, with its data below the fleet's home; one fleet at a time owns a home.
3. The addresses are written to ``fleet.json`` there, so every process on this machine that is given no servers finds them.
4. At the end the file is removed first, then the servers are stopped; the data stays, unless it was only for show.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..broker.errors import ConfigurationError
from ..broker.fleet_file import FleetFile
from ..broker.settings import settings
from .embedded_addresses import EmbeddedAddresses
from .embedded_postgres import EmbeddedPostgres
from .embedded_redis import EmbeddedRedis


@contextmanager
def embedded_servers(home: Path, *, keep_data: bool = True) -> Iterator[EmbeddedAddresses]:
    """Start the servers that no setting names, and stop them at the end.

    They also end when this process is killed, and when the thread that called this ends: call it in the main one.

    Parameters:
      home: the fleet's home, ``settings().jobfleet_home``.
      keep_data: False deletes the data at the end and lets PostgreSQL not wait for the disk, for demos and tests.

    Raises:
      ConfigurationError: another fleet runs in this home, or a server cannot be started; says what to do.
    """
    found = FleetFile(home).read()
    redis_url = _given(settings().redis_url, found.get("redis_url"))
    database_url = _given(settings().database_url, found.get("database_url"))
    if redis_url and database_url:
        yield EmbeddedAddresses(redis_url=redis_url, database_url=database_url)
        return
    with ExitStack() as stack:
        stack.enter_context(_owned(home))
        addresses = EmbeddedAddresses(
            redis_url=redis_url or _start(stack, EmbeddedRedis(home / "redis"), keep_data),
            database_url=database_url or _start(stack, EmbeddedPostgres(home / "postgres", fsync=keep_data), keep_data),
        )
        stack.enter_context(_published(home, addresses))
        yield addresses


def _given(chosen: str | None, published: str | None) -> str | None:
    """The address that was set, not found in the home: what is found there belongs to another fleet."""
    return None if chosen == published else chosen


def _start(stack: ExitStack, server: EmbeddedRedis | EmbeddedPostgres, keep_data: bool) -> str:
    if not keep_data:
        stack.callback(server.remove)
    stack.enter_context(server)
    return server.url


@contextmanager
def _owned(home: Path) -> Iterator[None]:
    """Own the home, by a file lock that ends with this process."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "fleet.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read() or "unknown"
            raise ConfigurationError(
                f"a fleet (process {owner}) already runs in {home}; stop it or set JOBFLEET_HOME to another folder"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def _published(home: Path, addresses: EmbeddedAddresses) -> Iterator[None]:
    """Publish the addresses; what this process has read of its settings before is read anew."""
    FleetFile(home).write(redis_url=addresses.redis_url, database_url=addresses.database_url)
    settings.cache_clear()
    try:
        yield
    finally:
        FleetFile(home).remove()
        settings.cache_clear()
