"""What a panel asks."""

from __future__ import annotations

from typing import Any, Protocol


class Query(Protocol):
    """A question to some datasource."""

    @property
    def datasource(self) -> dict[str, str]:
        """Whom to ask."""

    def build(self, ref: str) -> dict[str, Any]:
        """The target as Grafana reads it.

        Parameters:
          ref: the letter that tells it from the panel's other questions.
        """
