"""The command ``jobfleet demo`` as a process, and what is left of it."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from processes import Process, bare_environment

#: Seconds that a demo may take when the machine is busy with others.
PATIENCE = 240.0

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads the processes of others from /proc")


@contextmanager
def folder_for_all() -> Iterator[Path]:
    """A folder for temporary files that PostgreSQL's own user can reach when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="demo-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def start(folder: Path, *arguments: str) -> Process:
    return Process(["jobfleet", "demo", *arguments], bare_environment() | {"TMPDIR": str(folder)}, cwd=folder)
