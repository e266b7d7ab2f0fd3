"""The driver's view of what the jobs have left behind."""

from __future__ import annotations

import struct
import time
from pathlib import Path

#: Seconds between two looks.
LOOK_SECONDS = 0.004


class MarksReader:
    """Reads the marks of all worker processes of a fleet.

    Parameters:
      directory: where they are.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def counts(self) -> dict[int, int]:
        """How many no-op jobs each process has run; one that has only stamped has run none."""
        return {int(path.stem): _number(path) for path in self._directory.glob("*.count")}

    def total(self) -> int:
        """How many no-op jobs have run."""
        return sum(self.counts().values())

    def stamps(self) -> dict[str, int]:
        """When each token was first stamped, ns since the epoch."""
        found: dict[str, int] = {}
        for path in self._directory.glob("*.stamps"):
            for line in path.read_text().splitlines():
                token, _, moment = line.partition(" ")
                found[token] = min(int(moment), found.get(token, int(moment)))
        return found

    def stamping(self) -> set[int]:
        """The processes that have stamped something."""
        return {int(path.stem) for path in self._directory.glob("*.stamps") if path.stat().st_size}

    def wait_for(self, tokens: set[str], patience: float) -> dict[str, int]:
        """The stamps, as soon as all tokens have one or after `patience` seconds."""
        deadline = time.monotonic() + patience
        while True:
            found = self.stamps()
            if tokens <= found.keys() or time.monotonic() > deadline:
                return found
            time.sleep(LOOK_SECONDS)


def _number(path: Path) -> int:
    data = path.read_bytes()
    return sum(struct.unpack(f"{len(data) // 8}Q", data))
