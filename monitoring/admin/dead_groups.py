"""Dead letters in groups of the same error: one group is mostly one fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from ...broker.dead_letter import DeadLetter
from .call import Call
from .dead_letters import DeadFilter, matching
from .route import look

#: Dead letters that a grouping looks at: as many as Redis holds of a queue.
MOST = 5_000
#: Characters of an error that a group is named by.
ERROR_SHOWN = 200

#: Queue, actor, reason, and the first line of the error.
Group = tuple[str, str, str, str]


class GroupedFilter(DeadFilter):
    """Which dead letters are grouped; all that is given must hold."""

    limit: int = Field(default=MOST, ge=1, le=MOST, description="Look at the newest so many.")


def _groups(call: Call) -> dict[str, Any]:
    letters, more = matching(call, call.given.limit)
    groups: dict[Group, list[DeadLetter]] = {}
    for letter in letters:
        first_line = letter.error.partition("\n")[0][:ERROR_SHOWN]
        groups.setdefault((letter.queue, letter.actor, letter.reason, first_line), []).append(letter)
    largest_first = sorted(groups.items(), key=lambda group: (-len(group[1]), -_moments(group[1])[-1]))
    return {"groups": [_row(*group) for group in largest_first], "looked_at": len(letters), "more": more}


def _row(group: Group, letters: Sequence[DeadLetter]) -> dict[str, Any]:
    queue, actor, reason, error = group
    moments = _moments(letters)
    return {
        "queue": queue,
        "actor": actor,
        "reason": reason,
        "error": error,
        "count": len(letters),
        "newest_ms": moments[-1],
        "oldest_ms": moments[0],
    }


def _moments(letters: Sequence[DeadLetter]) -> list[int]:
    """When they died, the first one first."""
    return sorted(letter.failed_ms for letter in letters)


ROUTES = (
    look(
        "/admin/dead/groups",
        _groups,
        "The newest dead letters grouped by queue, actor, reason and error, the largest group first; more: there are others.",
        takes=GroupedFilter,
    ),
)
