from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from journal_events import rows

from jobfleet.broker.errors import ConfigurationError, Unavailable
from jobfleet.deploy.migrate import FOLDER, migrate, migrations, pending


def test_migrations_are_applied_once_and_in_order(unmigrated_database_url: str) -> None:
    # Given an empty database
    names = [migration.name for migration in migrations()]
    assert pending(unmigrated_database_url) == names

    # When the migrations run twice
    first, second = migrate(unmigrated_database_url), migrate(unmigrated_database_url)

    # Then the first run applied all of them and the second nothing
    assert (first, second) == (names, [])
    assert pending(unmigrated_database_url) == []
    noted = rows(unmigrated_database_url, "SELECT name, applied_at FROM jobfleet_migrations ORDER BY version")
    assert [row["name"] for row in noted] == names
    assert all(row["applied_at"] for row in noted)


def test_processes_that_migrate_at_once_share_the_work(unmigrated_database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(migrate, [unmigrated_database_url] * 4))

    assert sorted(applied, key=len)[:3] == [[], [], []]
    assert max(applied, key=len) == [migration.name for migration in migrations()]


def test_an_applied_file_that_changed_is_refused(unmigrated_database_url: str, tmp_path: Path) -> None:
    # Given migrations that have run
    folder = tmp_path / "migrations"
    shutil.copytree(FOLDER, folder)
    migrate(unmigrated_database_url, folder)

    # When one of the files changes
    path = folder / "0001_job_logs.sql"
    path.write_text(path.read_text() + "\n-- one line more\n")

    # Then both questions say which
    for question in (migrate, pending):
        with pytest.raises(ConfigurationError, match="0001_job_logs was changed after it was applied"):
            question(unmigrated_database_url, folder)


def test_a_migration_that_fails_leaves_nothing_behind(unmigrated_database_url: str, tmp_path: Path) -> None:
    # Given a good file and one that fails in its second statement
    (tmp_path / "0001_good.sql").write_text("CREATE TABLE good (id INTEGER);")
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE half (id INTEGER); SELECT 1 / 0;")

    # When they run
    with pytest.raises(Exception, match="division by zero"):
        migrate(unmigrated_database_url, tmp_path)

    # Then the good one is there and of the other nothing is
    assert pending(unmigrated_database_url, tmp_path) == ["0002_bad"]
    assert rows(unmigrated_database_url, "SELECT to_regclass('good') AS good, to_regclass('half') AS half") == [
        {"good": "good", "half": None}
    ]


@pytest.mark.parametrize(
    ("names", "complaint"),
    [(["1_first.sql"], "must be named like"), (["0001_a.sql", "0001_b.sql"], "have the same number")],
)
def test_misnamed_files_are_refused(tmp_path: Path, names: list[str], complaint: str) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")

    with pytest.raises(ConfigurationError, match=complaint):
        migrations(tmp_path)


def test_an_unreachable_server_is_named_without_its_password() -> None:
    with pytest.raises(Unavailable, match=r"PostgreSQL at 127\.0\.0\.1:1/fleet is away") as caught:
        migrate("postgresql://me:sesame@127.0.0.1:1/fleet")

    assert "sesame" not in str(caught.value)
