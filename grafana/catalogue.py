"""The catalogue: all dashboards, and the files in which they are committed."""

from __future__ import annotations

import json
from pathlib import Path

from .dead_letters import DEAD_LETTERS
from .overview import OVERVIEW
from .queue import QUEUE
from .slo import SLO
from .tenants import TENANTS
from .workers import WORKERS_AND_SCALING

#: Where the built JSON is, beside this module.
FOLDER = Path(__file__).with_name("dashboards")

#: In the order in which a person who is paged comes to them.
DASHBOARDS = (OVERVIEW, QUEUE, DEAD_LETTERS, TENANTS, WORKERS_AND_SCALING, SLO)


def build() -> dict[str, str]:
    """Name of each file in ``FOLDER`` -> its text."""
    return {
        f"{dashboard.uid.removeprefix('jobfleet-')}.json": json.dumps(dashboard.build(), indent=2) + "\n"
        for dashboard in DASHBOARDS
    }
