"""What ``jobfleet check`` wants of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

from ..broker.errors import ConfigurationError, Unavailable
from ..broker.settings import settings
from ..deploy.migrate import pending
from ..middleware.database import Database
from .check_result import Result, error, ok, warning

#: The oldest release that still gets repairs.
OLDEST = 14


def check_postgres() -> Iterator[Result]:
    """Reachable, new enough, with the tables of this version."""
    chosen = settings()
    if not chosen.database_url:
        yield warning("PostgreSQL", "DATABASE_URL is not set", "set it: no job log, and emails and webhooks need it")
        return
    try:
        stored = Database(chosen.database_url, chosen.database_direct_url)
        with stored.connection() as connection:
            version = connection.info.server_version
        stored.close()
        yield _version(version, stored.address)
        yield _tables(chosen.database_direct_url or chosen.database_url)
    except Unavailable as away:
        yield error("PostgreSQL", str(away), "start it, or mend DATABASE_URL")
    except ConfigurationError as wrong:
        yield error("PostgreSQL", str(wrong), "mend it")


def _version(number: int, address: str) -> Result:
    text = f"PostgreSQL {number // 10_000}.{number % 10_000} at {address}"
    if number // 10_000 < OLDEST:
        return warning("PostgreSQL", text, f"it gets no repairs any more, use {OLDEST} or newer")
    return ok("PostgreSQL", text)


def _tables(url: str) -> Result:
    missing = pending(url)
    if missing:
        return error("migrations", f"{', '.join(missing)} not applied", "run `jobfleet migrate`")
    return ok("migrations", "all applied")
