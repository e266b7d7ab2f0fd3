"""Actors as Redis knows them, so that the monitor need not import them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dramatiq import Actor

from .commands import Commands
from .keys import Keys
from .scripts import pack, unpack


def describe_actors(actors: Mapping[str, Actor[Any, Any]]) -> tuple[str | bytes, ...]:
    """Name and packed description of each actor, flat."""
    return tuple(part for name, actor in actors.items() for part in (name, pack({"queue": actor.queue_name})))


def registered_actors(client: Commands, keys: Keys) -> dict[str, str]:
    """Every actor that a worker of this fleet ever had, with its queue."""
    rows: dict[bytes, bytes] = client.hgetall(keys.actors)
    return {name.decode(): unpack(description)["queue"] for name, description in rows.items()}
