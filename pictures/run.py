"""The pictures of the dashboards: ``python pictures/run.py --help``.

1. A whole fleet runs for some minutes, with a Prometheus that scrapes it (``stage``): jobs of several queues and
   tenants, failures, dead letters, a replay, a flood, pauses (``traffic``, ``happenings``).
2. Every question of every dashboard is put to that Prometheus and to the job log (``answers``, ``scenes``).
3. Grafana's own components draw the answers in a headless Chromium (``drawing``, ``grafana/render``).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from jobfleet.broker.errors import ConfigurationError
from jobfleet.pictures.drawing import Drawing
from jobfleet.pictures.happenings import play
from jobfleet.pictures.scenes import write_scenes
from jobfleet.pictures.stage import Stage
from jobfleet.pictures.window import Window

HOUSE = Path(__file__).resolve().parent.parent
DASHBOARDS = HOUSE / "grafana" / "dashboards"
PICTURES = HOUSE / "docs" / "pictures"
#: Where the fleet's data, the node packages and the scenes are kept between runs.
WORKSHOP = HOUSE / ".pictures"
SCENES = WORKSHOP / "scenes"
#: Minutes that the fleet runs if nothing else is said; rates over five minutes need some more than that.
MINUTES = 8.0


def main() -> None:
    """Make the pictures that are asked for."""
    wanted = _arguments()
    try:
        drawing = Drawing(HOUSE / "grafana" / "render", WORKSHOP / "render")
        stage = Stage(WORKSHOP / "fleet", HOUSE / "deploy" / "prometheus" / "rules")
        files = _files(wanted.names)
        empty = _again(stage, files) if wanted.again else _run(stage, files, wanted.minutes)
        drawing.draw(SCENES, PICTURES, [file.stem for file in files])
    except ConfigurationError as error:
        sys.exit(f"pictures: {error}")
    for panel in empty:
        print(f"no data: {panel}")


def _files(names: Sequence[str]) -> list[Path]:
    """The dashboards that are asked for."""
    known = {file.stem: file for file in sorted(DASHBOARDS.glob("*.json"))}
    if unknown := set(names) - set(known):
        raise ConfigurationError(f"there is no dashboard {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return [known[name] for name in names or known]


def _run(stage: Stage, files: Sequence[Path], minutes: float) -> list[str]:
    """Run the fleet and ask while it still works; returns the panels that show nothing."""
    stage.clear()
    with stage.running() as fleet, stage.prometheus(fleet.monitor_port) as prometheus:
        start = time.time()
        play(fleet, minutes * 60)
        window = Window(start=start, end=time.time())
        empty = write_scenes(files, SCENES, stage.sources(prometheus), window)
    window.write(stage.home)
    return empty


def _again(stage: Stage, files: Sequence[Path]) -> list[str]:
    """Ask the last run's data; what was running then no longer does."""
    if not stage.home.is_dir():
        raise ConfigurationError(f"there is no run in {stage.home} yet; leave --again out once")
    window = Window.read(stage.home)
    with stage.postgres, stage.prometheus() as prometheus:
        return write_scenes(files, SCENES, stage.sources(prometheus), window)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Draw the dashboards as they show a fleet at work.")
    parser.add_argument("names", nargs="*", help="dashboards, such as overview; all of them if none is named")
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"how long the fleet runs ({MINUTES:g})")
    parser.add_argument("--again", action="store_true", help="draw the last run again, with the dashboards as they are")
    return parser.parse_args()


if __name__ == "__main__":
    main()
