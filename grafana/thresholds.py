"""From which value on a number is drawn in which colour."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Thresholds:
    """Colours of a value.

    Parameters:
      lowest: the colour below all steps.
      steps: (value from which on, colour), ascending.
    """

    lowest: str = "green"
    steps: tuple[tuple[float, str], ...] = ()

    def build(self) -> dict[str, Any]:
        """As Grafana reads it."""
        steps: list[dict[str, Any]] = [{"color": self.lowest, "value": None}]
        steps += [{"color": color, "value": value} for value, color in self.steps]
        return {"mode": "absolute", "steps": steps}


#: A number that is neither good nor bad.
PLAIN = Thresholds("blue")
#: One is one too many.
NONE_ALLOWED = Thresholds("green", ((1, "red"),))
#: One is worth a look.
BETTER_NONE = Thresholds("green", ((1, "orange"),))
#: A share of what is allowed: an objective, a time limit.
SHARE_OF_LIMIT = Thresholds("green", ((0.5, "yellow"), (0.8, "orange"), (1, "red")))
#: A share of threads at work: full is no fault as long as nobody waits too long.
BUSY_SHARE = Thresholds("green", ((0.8, "yellow"), (0.95, "orange")))
#: A share of runs that failed; from a tenth on there is an alert.
FAILING_SHARE = Thresholds("green", ((0.02, "yellow"), (0.1, "red")))
#: What is there or is not.
UP = Thresholds("red", ((1, "green"),))
#: The same in words.
UP_WORDS = MappingProxyType({1: ("up", "green"), 0: ("down", "red")})
