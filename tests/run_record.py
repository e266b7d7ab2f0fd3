"""What actors in other processes say of themselves to the test that runs them."""

from __future__ import annotations

import os
from pathlib import Path


def note(line: str) -> None:
    """Append one line to the run's record; O_APPEND keeps lines of several processes whole."""
    handle = os.open(Path(os.environ["RECORD_FILE"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, f"{line}\n".encode())
    finally:
        os.close(handle)
