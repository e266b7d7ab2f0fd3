"""What Linux says of running processes: their CPU time and memory."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

#: Clock ticks per second, the unit of CPU times.
TICKS = os.sysconf("SC_CLK_TCK")

#: Fields of ``/proc/PID/stat`` after the program's name: parent, session, user and system time, those of ended children.
PARENT, SESSION, TIMES = 1, 3, slice(11, 15)


def session_members(leader: int) -> list[int]:
    """The processes that a session leader has started and that live, itself included."""
    return [pid for pid, fields in _all() if int(fields[SESSION]) == leader]


def with_children(parent: int) -> list[int]:
    """A process and its children."""
    return [pid for pid, fields in _all() if pid == parent or int(fields[PARENT]) == parent]


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time of processes and of those of their children that have ended."""
    return sum(int(field) for pid in pids for field in (_fields(pid) or [])[TIMES]) / TICKS


def proportional_bytes(pids: Iterable[int]) -> int:
    """Proportional set size: memory of their own plus their share of what processes share."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def _all() -> list[tuple[int, list[str]]]:
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [(pid, fields) for pid in pids if (fields := _fields(pid))]


def _fields(pid: int) -> list[str] | None:
    try:
        # The program's name, in parentheses, may hold anything.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
