"""The plans as PostgreSQL has them.

1. The table ``plans`` is the truth. What the settings say (the four plans, and ``[plans.NAME]`` of ``jobfleet.toml``)
   only fills it: a plan that it does not have is put there by the monitor and by whoever gives a tenant a plan.
2. Later changes are made in the table, with SQL, and reach the whole fleet within a second.
3. A file that says something else than the table is not followed, but the monitor tells of it when it starts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches

from ..broker.errors import InvalidPayload
from ..broker.plans import PLANS, RANGES, Plan
from ..broker.settings import settings
from .database import Connection
from .queries import Queries

QUERIES = Queries(__file__)


def seed_plans(connection: Connection) -> None:
    """Put the plans of the settings where the table has none of that name; those that it has stay as they are."""
    connection.execute(QUERIES["seed"], {"plans": json.dumps([vars(plan) for plan in settings().plans.values()])})


def stored_plans(connection: Connection) -> dict[str, Plan]:
    """All plans of the table, the smallest first."""
    return {row["name"]: Plan(**row) for row in connection.execute(QUERIES["plans"])}


def check_plan(name: object, known: Mapping[str, Plan]) -> str:
    """The name of a plan that exists.

    Raises:
      InvalidPayload: there is none of that name; with what may have been meant, and all there are.
    """
    if isinstance(name, str) and name in known:
        return name
    close = get_close_matches(str(name), known, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise InvalidPayload(f"unknown plan {name}: {hint}There are {', '.join(known)}", field="plan")


def overruled_settings(stored: Mapping[str, Plan]) -> list[str]:
    """What ``jobfleet.toml`` says of plans and the table does not, a sentence for each plan."""
    sentences = []
    for name, wanted in settings().plans.items():
        found = stored.get(name)
        if found is None or wanted == PLANS.get(name):
            continue
        differences = [limit for limit in RANGES if getattr(wanted, limit) != getattr(found, limit)]
        if differences:
            says = ", ".join(f"{limit} {getattr(wanted, limit)}" for limit in differences)
            holds = ", ".join(f"{limit} {getattr(found, limit)}" for limit in differences)
            sentences.append(f"[plans.{name}] says {says}, but the table plans has {holds}, and that holds")
    return sentences
