"""Actors as Redis knows them, so that the monitor need not import them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dramatiq import Actor

from .scripts import pack


def describe_actors(actors: Mapping[str, Actor[Any, Any]]) -> tuple[str | bytes, ...]:
    """Name and packed description of each actor, flat."""
    return tuple(part for name, actor in actors.items() for part in (name, pack({"queue": actor.queue_name})))
