"""Colours that mean the same on every dashboard."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from ..broker.queues import QUEUES, Tier

#: The hue tells the tier: blue and purple high, green medium, yellow and brown low.
HUES = MappingProxyType(
    {
        Tier.HIGH: ("blue", "super-light-blue", "purple"),
        Tier.MEDIUM: ("green", "super-light-green", "dark-green"),
        Tier.LOW: ("yellow", "dark-yellow", "super-light-orange"),
    }
)

#: Label, as legends name it -> value -> colour.
MEANINGS = MappingProxyType(
    {
        "{{outcome}}": {
            "completed": "green",
            "retry": "yellow",
            "failed": "red",
            "skipped": "blue",
            "cancelled": "text",
            "lost": "purple",
        },
        "{{state}}": {
            "waiting": "blue",
            "active": "green",
            "scheduled": "yellow",
            "parked": "purple",
            "dead": "red",
        },
        "{{reason}}": {
            # Why a job is dead.
            "exhausted": "orange",
            "failed": "red",
            "permanent": "yellow",
            "stuck": "purple",
            "worker_lost": "blue",
            "unknown_actor": "super-light-blue",
            "unhandled": "dark-red",
            "undecodable": "super-light-purple",
            # Why a send was refused; a job may be dead for the last of these as well.
            "rate": "yellow",
            "backlog": "red",
            "invalid": "dark-purple",
        },
        "{{plan}}": {"free": "blue", "starter": "green", "pro": "orange", "enterprise": "purple"},
    }
)


def queue_colors() -> dict[str, str]:
    """Queue -> its colour, for the queues of the table; one that is not in it gets a colour by its name."""
    colors: dict[str, str] = {}
    for tier, hues in HUES.items():
        names = [queue.name for queue in QUEUES.values() if queue.tier is tier]
        colors |= {name: hues[place % len(hues)] for place, name in enumerate(names)}
    return colors


def fixed(name: str, color: str) -> dict[str, Any]:
    """The override that gives one series its colour."""
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}],
    }
