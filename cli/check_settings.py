"""Where each setting comes from, and names that were meant to be settings and are none."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..broker.connection import redacted
from ..broker.fleet_file import FleetFile
from ..broker.plans import PLANS
from ..broker.queues import QUEUES
from ..broker.settings import Settings, settings
from .check_result import Result, warning

#: Names that begin like ours belong to us.
PREFIX = "JOBFLEET_"
#: A password among the parameters of an address.
PASSWORD = re.compile(r"(password=)('[^']*'|[^\s&]+)")


@dataclass(frozen=True)
class Setting:
    """One setting as it is."""

    name: str
    value: str
    source: str


def chosen_settings() -> list[Setting]:
    """Every setting with its value, passwords left out, and its source.

    Raises:
      ConfigurationError: a setting or the file is wrong.
    """
    chosen = settings()
    file, fleet = _file(chosen.jobfleet_config), FleetFile(chosen.jobfleet_home).read()
    environment = {name.upper() for name in os.environ}
    found = []
    for field, variable in _variables().items():
        if variable in environment:
            source = "environment"
        elif field in file:
            source = str(chosen.jobfleet_config)
        elif field in fleet:
            source = f"the fleet that runs in {chosen.jobfleet_home}"
        else:
            source = "default"
        found.append(Setting(variable, _shown(field, getattr(chosen, field)), source))
    return found


def unknown_settings() -> Iterator[Result]:
    """Names that nobody reads, most likely misspelt."""
    variables = _variables()
    for name in sorted(name for name in os.environ if name.upper().startswith(PREFIX)):
        if name.upper() not in variables.values():
            yield warning("settings", f"{name} in the environment is no setting", _advice(name, variables.values()))
    config = settings().jobfleet_config
    for name in _file(config):
        if name not in variables:
            yield warning("settings", f"{name} in {config} is no setting", _advice(name, variables))


def _variables() -> dict[str, str]:
    """The variable of each field of the settings."""
    return {name: str(field.validation_alias or name).upper() for name, field in Settings.model_fields.items()}


def _file(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text()) if path.is_file() else {}


def _shown(field: str, value: Any) -> str:
    if field in ("queues", "plans"):
        changed = [name for name, row in value.items() if row != (QUEUES if field == "queues" else PLANS).get(name)]
        return f"{len(value)} {field}" + (f", changed or added: {', '.join(changed)}" if changed else "")
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "-"
    return without_password(str(value)) if value is not None else "-"


def without_password(address: str) -> str:
    """An address fit to be shown; PostgreSQL's may also be written as words and have its password among them."""
    return PASSWORD.sub(r"\1***", redacted(address))


def _advice(name: str, known: Any) -> str:
    close = get_close_matches(name.upper() if name.upper().startswith(PREFIX) else name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else "remove it"
