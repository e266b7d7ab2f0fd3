"""An application whose job fails until somebody mends what it needs: `jobfleet up loop_actors`."""

from __future__ import annotations

import os
from pathlib import Path

from jobfleet.actors import actor


@actor(queue_name="report", max_retries=0)
def close_books(*, tenant_id: str) -> str:
    """Read a file that is not there at first."""
    return Path(os.environ["BOOKS_FILE"]).read_text()
