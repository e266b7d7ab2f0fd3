"""How tests start the servers that watch a fleet."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from jobfleet.cli.embedded_alertmanager import EmbeddedAlertmanager
from jobfleet.cli.embedded_prometheus import EmbeddedPrometheus


class RunPrometheus(Protocol):
    """The fixture ``run_prometheus``."""

    def __call__(
        self, configuration: str | Path, *, alertmanagers: int = 0, flags: Sequence[str] = ...
    ) -> AbstractContextManager[EmbeddedPrometheus]:
        """Run one while a block runs."""


class RunAlertmanager(Protocol):
    """The fixture ``run_alertmanager``."""

    def __call__(
        self, configuration: str | Path, *, flags: Sequence[str] = ()
    ) -> AbstractContextManager[EmbeddedAlertmanager]:
        """Run one while a block runs."""
