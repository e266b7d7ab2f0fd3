"""One alert, as Alertmanager tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert that fires, or that is over.

    Parameters:
      fingerprint: Alertmanager's own for the labels.
      status: how it stands.
      labels: what it is about, ``alertname`` and ``severity`` among them.
      annotations: what people are told of it.
      starts_at: when it began.
      ends_at: when it ended; None while it fires.
      receiver: the name of Alertmanager's receiver.
      generator_url: where it can be seen.
    """

    fingerprint: str
    status: Literal["firing", "resolved"]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None = None
    receiver: str = ""
    generator_url: str = ""

    @property
    def name(self) -> str:
        """The rule's name."""
        return self.labels.get("alertname", "")

    @property
    def severity(self) -> str:
        """Such as ``critical``."""
        return self.labels.get("severity", "")
