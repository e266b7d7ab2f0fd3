"""The time that the pictures show."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from jobfleet.broker.errors import ConfigurationError

FILE = "window.json"


@dataclass(frozen=True, kw_only=True)
class Window:
    """From when to when the fleet ran, in seconds since the epoch."""

    start: float
    end: float

    def write(self, home: Path) -> None:
        """Keep it beside the run's data."""
        (home / FILE).write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, home: Path) -> Self:
        """The one that was kept.

        Raises:
          ConfigurationError: the run that left this home did not come to its end.
        """
        try:
            return cls(**json.loads((home / FILE).read_text()))
        except FileNotFoundError:
            raise ConfigurationError(f"the run in {home} was not finished; leave --again out once") from None
