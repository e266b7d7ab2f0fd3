"""The rules as they are committed, and the unit tests that go with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from house import HOUSE

PROMETHEUS = HOUSE / "deploy/prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
UNIT_TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))


@dataclass(frozen=True)
class Alert:
    """One alerting rule."""

    name: str
    expr: str
    row: dict[str, Any]

    @property
    def labels(self) -> dict[str, str]:
        """What the rule itself says of it."""
        return dict(self.row.get("labels", {}))

    @property
    def annotations(self) -> dict[str, str]:
        """Its texts and links."""
        return dict(self.row["annotations"])

    @property
    def title(self) -> str:
        """Its name, with what tells it from others of that name."""
        return f"{self.name} {self.labels.get('window', '')}".strip()

    @property
    def is_of_a_queue(self) -> bool:
        """Whether it fires for each queue by itself."""
        return "$labels.queue" in self.annotations["summary"]

    def fired(self, **more: str) -> dict[str, str]:
        """The labels with which it reaches Alertmanager."""
        own = {"queue": "email"} if self.is_of_a_queue else {}
        return {"alertname": self.name, **self.labels, **own, **more}


@cache
def read(path: Path) -> Any:
    """A file of YAML, read once: nobody may change what comes of it."""
    return yaml.safe_load(path.read_text())


def rows() -> Iterator[dict[str, Any]]:
    """All rules of all files."""
    for path in RULES:
        for group in read(path)["groups"]:
            yield from group["rules"]


def metrics_in(expr: str) -> set[str]:
    """The names of all series that an expression asks for."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}', "", re.sub(r"\b(by|on|without)\s*\([^)]*\)", "", expr))
    return set(re.findall(r"\b(?:jobfleet_\w+|\w+:jobfleet_[\w:]+|up|scrape_\w+)\b(?!\s*\()", bare))


ALERTS = [Alert(row["alert"], row["expr"], row) for row in rows() if "alert" in row]
RECORDED = {row["record"]: row["expr"] for row in rows() if "record" in row}
