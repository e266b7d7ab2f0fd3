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


def descendants(pid: int) -> set[int]:
    """All processes below a process; on other systems than Linux none is known."""
    children: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(place.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(place.parent.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found.update(below)
        waiting.extend(below)
    return found


def none_runs(processes: set[int]) -> bool:
    return all(is_gone(pid) for pid in processes)


def is_gone(pid: int) -> bool:
    """Whether a process has ended, perhaps without anybody having asked how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
