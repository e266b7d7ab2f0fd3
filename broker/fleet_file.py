"""Where a fleet that runs on this machine says how to reach it."""

from __future__ import annotations

import json
import os
from pathlib import Path


class FleetFile:
    """``fleet.json`` in the fleet's home: the addresses of its servers and the process that owns them.

    A file whose owner is gone counts as absent, so a fleet that was killed misleads nobody.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "fleet.json"

    def write(self, *, redis_url: str, database_url: str, **more: str) -> None:
        """Publish this process's servers; the file appears whole or not at all."""
        content = {"pid": os.getpid(), "redis_url": redis_url, "database_url": database_url, **more}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(content))
        draft.replace(self.path)

    def read(self) -> dict[str, str]:
        """The addresses, or nothing when no fleet runs there."""
        try:
            content: dict[str, str | int] = json.loads(self.path.read_text())
            os.kill(int(content.pop("pid")), 0)
        except PermissionError:
            pass  # the owner is there, and another user's process
        except (OSError, ValueError, KeyError):
            return {}
        return {name: str(value) for name, value in content.items()}

    def remove(self) -> None:
        """Say that the fleet has stopped."""
        self.path.unlink(missing_ok=True)
