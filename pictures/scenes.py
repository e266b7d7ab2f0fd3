"""Scenes: each dashboard with all its answers in one file, which is all that the drawing needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg

from jobfleet.pictures.answers import Answers
from jobfleet.pictures.interpolation import ALL, Interpolation
from jobfleet.pictures.sources import Sources
from jobfleet.pictures.window import Window

#: Dashboard -> what is chosen above it, where it is not what it says itself.
CHOSEN: Mapping[str, Mapping[str, str]] = MappingProxyType({"queue": MappingProxyType({"queue": "image-processing"})})


def write_scenes(files: Sequence[Path], folder: Path, sources: Sources, window: Window) -> list[str]:
    """Ask for these dashboards, and write a scene for each; returns the panels that show nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    empty: list[str] = []
    with psycopg.connect(sources.database_url, autocommit=True) as postgres:
        for file in files:
            dashboard = json.loads(file.read_text(encoding="utf-8"))
            chosen = CHOSEN.get(file.stem, {})
            interpolation = Interpolation(
                dashboard, start=window.start, end=window.end, scrape=sources.scrape, chosen=chosen
            )
            answers = Answers(sources, interpolation, postgres)
            answered = {str(panel["id"]): answers.of(panel) for panel in _panels(dashboard)}
            scene = {
                "dashboard": dashboard,
                "variables": [_shown(variable, chosen) for variable in dashboard["templating"]["list"]],
                "from": window.start * 1000,
                "to": window.end * 1000,
                "answers": answered,
            }
            (folder / file.name).write_text(json.dumps(scene), encoding="utf-8")
            empty += [f"{file.stem}: {panel['title']}" for panel in _panels(dashboard) if _nothing(panel, answered)]
    return empty


def _panels(dashboard: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", ())


def _shown(variable: Mapping[str, Any], chosen: Mapping[str, str]) -> dict[str, Any]:
    value = chosen.get(variable["name"], variable.get("current", {}).get("value", ""))
    value = ", ".join(value) if isinstance(value, list) else value
    return {
        "name": variable["name"],
        "label": variable.get("label") or variable["name"],
        "text": "All" if value == ALL else "default" if variable["type"] == "datasource" else value,
        "value": value,
        "hidden": bool(variable.get("hide")),
    }


def _nothing(panel: Mapping[str, Any], answered: Mapping[str, Any]) -> bool:
    answers = answered[str(panel["id"])]
    return bool(answers) and not any(answer.get("result") or answer.get("rows") for answer in answers)
