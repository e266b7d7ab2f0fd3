"""Which type each key of a namespace has."""

from __future__ import annotations

#: By the whole name behind the namespace.
_SINGLE = {
    "hash": "jobs fleet metrics actors failures cancels vtime means plans tenants running backlog parked parked-jobs "
    "resuming resumed held",
    "zset": "workers gates",
    "set": "queues paused",
    "stream": "journal",
    "list": "marks admin-audit",
}
#: By what comes before the second colon.
_NAMED = {
    "hash": "waiting leases worker group",
    "zset": "oldest scheduled active dead stored ring tags line held halted suspects starts",
    "set": "host ended arrived",
    "list": "times wake nudge",
    "string": "claim key answer settled callbacks result",
}


def key_type(name: str) -> str | None:
    """The type of the key whose name, behind the namespace and its colon, is given; None where it is not ours."""
    first, colon, _ = name.partition(":")
    for kind, names in (_NAMED if colon else _SINGLE).items():
        if first in names.split():
            return kind
    return None
