"""One request, as a route's function gets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .monitored import Monitored


@dataclass(frozen=True)
class Call:
    """A request that may be answered: whoever sent it may do so, and what it brings is what is allowed."""

    fleet: Monitored
    #: The variable parts of the path.
    path: Mapping[str, str]
    headers: Mapping[str, str]
    #: What was given, as the route's model; one without fields where it has none.
    given: Any
    #: What is done once the answer is out, each in a thread; may raise nothing.
    later: list[Callable[[], None]] = field(default_factory=list)
