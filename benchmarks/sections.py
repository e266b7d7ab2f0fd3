"""Where the measurements with many tenants are published: ``tenants.json``, and a section each of the README."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jobfleet.benchmarks.part import Part


def publish(folder: Path, key: str, about: dict[str, Any], part: Part) -> None:
    """Keep one part's figures beside those of the others, with what they were measured on."""
    file = folder / "tenants.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    kept[key] = {**about, **part.data, "goals": [goal.row() for goal in part.goals]}
    file.write_text(json.dumps(kept, indent=1) + "\n")
    readme = folder / "README.md"
    if readme.exists():
        readme.write_text(between(readme.read_text(), key, f"{told(about)}\n\n{part.markdown()}"))


def told(about: dict[str, Any]) -> str:
    """What a part was measured on, with which command, and how long it took."""
    machine = ", ".join(f"{name}: {value}" for name, value in about["machine"].items())
    return f"{machine}.\n\n`{about['command']}`, this part in {about['took_s']:.0f} s."


def between(readme: str, key: str, text: str) -> str:
    """The README with a new text between the two markers of a section.

    Raises:
      ValueError: it has no such section.
    """
    begin, end = f"<!-- {key} -->", f"<!-- end of {key} -->"
    before, found, rest = readme.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"the README has no section between {begin} and {end}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"
