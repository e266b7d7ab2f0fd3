"""Runs ``grafana/render``: its packages are installed and its sources built in a folder that is no part of the house."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from jobfleet.broker.errors import ConfigurationError

#: What the browser may be called.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Drawing:
    """The drawing of scenes.

    Parameters:
      sources: the node project.
      workshop: where it is built; node_modules of half a gigabyte come there.

    Raises:
      ConfigurationError: node, npm or a browser is missing.
    """

    def __init__(self, sources: Path, workshop: Path) -> None:
        self._npm = _program(("npm",), "nodejs and npm (node 20 or newer)")
        self._browser = _program(BROWSERS, "chromium")
        self._sources = sources
        self._workshop = workshop

    def draw(self, scenes: Path, pictures: Path, names: Sequence[str] = ()) -> None:
        """Draw each scene to a picture of the same name.

        Parameters:
          names: only these; all of them if there is none.

        Raises:
          ConfigurationError: it cannot be built, or a page has errors.
        """
        self._build()
        self._run("run", "--silent", "draw", "--", str(scenes), str(pictures), self._browser, *names)

    def _build(self) -> None:
        self._workshop.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self._workshop / "src", ignore_errors=True)
        shutil.copytree(self._sources / "src", self._workshop / "src")
        shutil.copy(self._sources / "tsconfig.json", self._workshop)
        shutil.copy(self._sources / "package.json", self._workshop)
        self._install((self._sources / "package.json").read_text())
        self._run("run", "--silent", "build")

    def _install(self, wanted: str) -> None:
        """Install the packages, if they are not those that are wanted already."""
        stamp = self._workshop / "installed"
        if not stamp.exists() or stamp.read_text() != wanted:
            self._run("install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent")
            stamp.write_text(wanted)

    def _run(self, *arguments: str) -> None:
        status = subprocess.run([self._npm, *arguments], cwd=self._workshop, check=False).returncode
        if status:
            raise ConfigurationError(f"npm {' '.join(arguments[:3])} in {self._workshop} ended with {status}")


def _program(names: Sequence[str], package: str) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    raise ConfigurationError(f"{' or '.join(names)} is not on PATH; install {package} (Debian: apt-get install)")
