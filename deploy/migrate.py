"""Bring a database to the tables that this version needs.

1. Connect past any pooler and take one advisory lock, so that two processes may do this at once.
2. Compare what was applied with the files: a file that changed afterwards is refused.
3. Apply each missing file in a transaction of its own and write it down in ``jobfleet_migrations``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..broker.errors import ConfigurationError
from ..middleware.database import Connection, Database
from ..middleware.queries import Queries

QUERIES = Queries(__file__)
FOLDER = Path(__file__).with_name("migrations")
FILE_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+$")


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One numbered SQL file."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file's text, the same on every platform's line ends."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrate(database_url: str, folder: Path = FOLDER) -> list[str]:
    """Apply what is missing.

    Parameters:
      database_url: past any pooler, as the lock belongs to the session.
      folder: where the numbered files are.

    Returns:
      the names of the files that this call applied, in order.

    Raises:
      Unavailable: the server cannot be reached.
      ConfigurationError: an applied file has changed, or files are misnamed.
    """
    with _locked(database_url) as connection:
        missing = _missing(connection, migrations(folder))
        for migration in missing:
            _apply(connection, migration)
    return [migration.name for migration in missing]


def pending(database_url: str, folder: Path = FOLDER) -> list[str]:
    """The names of the files that ``migrate`` would apply; changes nothing. Raises as ``migrate`` does."""
    with Database(database_url).direct() as connection:
        if not _has_table(connection):
            return [migration.name for migration in migrations(folder)]
        return [migration.name for migration in _missing(connection, migrations(folder))]


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """All files in order of their numbers.

    Raises:
      ConfigurationError: a name is not ``0001_words.sql`` or a number is there twice.
    """
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        match = FILE_NAME.match(path.stem)
        if not match:
            raise ConfigurationError(f"migration {path.name} must be named like 0001_job_logs.sql")
        version = int(match[1])
        if version in found:
            raise ConfigurationError(f"migrations {found[version].name} and {path.stem} have the same number")
        found[version] = Migration(version=version, name=path.stem, text=path.read_text(encoding="utf-8"))
    return list(found.values())


@contextmanager
def _locked(database_url: str) -> Iterator[Connection]:
    with Database(database_url).direct() as connection:
        connection.execute(QUERIES["lock"])
        connection.execute(QUERIES["create_table"])
        yield connection


def _has_table(connection: Connection) -> bool:
    row = connection.execute(QUERIES["has_table"]).fetchone()
    return bool(row and row["present"])


def _missing(connection: Connection, known: list[Migration]) -> list[Migration]:
    applied = {row["version"]: row for row in connection.execute(QUERIES["applied"])}
    for migration in known:
        row = applied.get(migration.version)
        if row and row["checksum"] != migration.checksum:
            raise ConfigurationError(
                f"migration {migration.name} was changed after it was applied; "
                "restore the file and put the change into a new one"
            )
    return [migration for migration in known if migration.version not in applied]


def _apply(connection: Connection, migration: Migration) -> None:
    with connection.transaction():
        connection.execute(migration.text.encode())
        connection.execute(
            QUERIES["record"],
            {"version": migration.version, "name": migration.name, "checksum": migration.checksum},
        )
