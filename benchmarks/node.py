"""The Node.js packages of a contender, installed for one run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

#: What is installed.
PACKAGES = ("bullmq@6", "ioredis@6")


def install(directory: Path) -> tuple[Path, str]:
    """Install into a folder; returns where the modules are, and what is wrong if they are not."""
    directory.mkdir()
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(directory), *PACKAGES]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=directory)
    return directory / "node_modules", done.stderr[-500:] if done.returncode else ""


def versions(node_modules: Path) -> dict[str, str]:
    """The releases that were installed, and Node's own."""
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    names = [package.partition("@")[0] for package in PACKAGES]
    found = {name: json.loads((node_modules / name / "package.json").read_text())["version"] for name in names}
    return {**found, "node": said}
