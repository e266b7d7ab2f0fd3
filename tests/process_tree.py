"""Processes and what they have started, as Linux tells it; on other systems nothing is known of any."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def children(pid: int) -> list[int]:
    """The processes that a process has started, oldest first."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(place.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            found.append(int(place.parent.name))
    return sorted(found)


def descendants(pid: int) -> set[int]:
    """All processes below a process."""
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        below = children(waiting.pop())
        found.update(below)
        waiting.extend(below)
    return found


def is_gone(pid: int) -> bool:
    """Whether a process has ended, perhaps without anybody having asked how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def all_gone(pids: Iterable[int]) -> bool:
    """Whether none of the processes runs."""
    return all(is_gone(pid) for pid in pids)
