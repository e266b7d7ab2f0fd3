"""Proof of a worker's death on the same machine, long before its lease ends.

Each worker holds a lock on a file of its own (``flock``), which the kernel lets go when the process
is gone, however it went. Whoever can take it knows that the worker is dead. The folder carries an
id of its own, so that machines or containers with other folders are never mistaken for this one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import time
import uuid
from contextlib import suppress
from pathlib import Path

from .scripts import Scripts

#: Seconds after which a lock file that nobody holds is removed.
SWEEP_AFTER = 3600.0


class HostLock:
    """The lock of one worker, and a look at those of its neighbours.

    Parameters:
      prefix: of the namespace's keys.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._folder = Path(tempfile.gettempdir()) / f"jobfleet-locks-{os.getuid()}"
        self._handle: int | None = None
        self._path: Path | None = None
        self._worker = ""
        self._host = ""

    def take(self, worker: str) -> str:
        """Lock the worker's own file.

        Returns:
          The machine's id, or an empty string where no file can be locked: then only the lease tells.
        """
        self._worker = worker
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._host = self._host_id()
            self._sweep()
            self._path = self._path_of(worker)
            self._handle = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.release()
            self._host = ""
        return self._host

    def release(self) -> None:
        """Let the lock go and remove the file."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        if self._handle is not None:
            os.close(self._handle)
        self._handle, self._path = None, None

    def look(self, scripts: Scripts) -> None:
        """Take back at once what dead workers of this machine held; one process of the machine looks at a time.

        Raises:
          redis.RedisError: the server is away.
        """
        if not self._host:
            return
        path = self._path_of("watch")
        try:
            watch = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:
            return
        try:
            if _locked(watch):
                for worker in scripts.call("neighbours", self._host):
                    self._look_at(worker.decode(), scripts)
                # Two that look at once, because one still holds the removed file, do no harm.
                path.unlink(missing_ok=True)
        finally:
            os.close(watch)

    def _look_at(self, worker: str, scripts: Scripts) -> None:
        if worker == self._worker:
            return
        path = self._path_of(worker)
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            # Without the file there is no proof: somebody has cleaned the folder. The lease will tell.
            return
        try:
            if _locked(handle):
                scripts.call("bury_worker", worker)
                path.unlink(missing_ok=True)
        finally:
            os.close(handle)

    def _sweep(self) -> None:
        """Remove what processes left that died long ago and that no fleet knows any more."""
        for path in self._folder.iterdir():
            with suppress(OSError):
                if path.name == "host-id" or time.time() - path.stat().st_mtime < SWEEP_AFTER:
                    continue
                handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
                try:
                    if _locked(handle):
                        path.unlink(missing_ok=True)
                finally:
                    os.close(handle)

    def _path_of(self, worker: str) -> Path:
        return self._folder / hashlib.sha256(f"{self._prefix}{worker}".encode()).hexdigest()[:32]

    def _host_id(self) -> str:
        path = self._folder / "host-id"
        with suppress(FileExistsError):
            draft = self._folder / f"host-id.{uuid.uuid4().hex}"
            draft.write_text(uuid.uuid4().hex)
            try:
                os.link(draft, path)
            finally:
                draft.unlink()
        return path.read_text()


def _locked(handle: int) -> bool:
    """Whether the lock of an open file could be taken; it is let go when the file is closed."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
