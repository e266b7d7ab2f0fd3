"""The noisy neighbour: the p99 of those who send little, with noise and without."""

from __future__ import annotations

from typing import Any

from jobfleet.benchmarks.columns import percentile
from jobfleet.benchmarks.extent import Setting
from jobfleet.benchmarks.measurements.neighbour import neighbour
from jobfleet.benchmarks.part import Goal, Part
from jobfleet.benchmarks.scenes import FAIR, SCENES, Scene
from jobfleet.benchmarks.stage import stage

#: What the p99 with noise may be, in multiples of that without.
BOUND = 1.2

HEAD = (
    "",
    "threads",
    "noise",
    "p50 (ms)",
    "p99 (ms)",
    "times quiet",
    "ideal p99 (ms)",
    "times quiet",
    "threads busy",
    "noisy jobs started",
)


def measure(setting: Setting, rounds: int = 1) -> Part:
    """Let all scenes play."""
    scenes = {_name(scene): scene for scene in SCENES}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in scenes}

    def play(name: str) -> None:
        with stage(scenes[name].contender, setting.house) as set_up:
            found[name].append(neighbour(set_up, scenes[name], setting.extent.scene))

    setting.rotation(list(scenes), play, rounds)
    figures = {name: _figures(runs) for name, runs in found.items()}
    for name, scene in scenes.items():
        quiet = figures[_name(_quiet(scene))]
        figures[name]["times"] = figures[name]["p99"] / quiet["p99"]
        # In a large fleet the ideal may be not to wait at all.
        if quiet["ideal_p99"] >= 1:
            figures[name]["ideal_times"] = figures[name]["ideal_p99"] / quiet["ideal_p99"]
    goals = [
        Goal(title=name, figure=figures[name]["times"], bound=BOUND)
        for name, scene in scenes.items()
        if scene.contender is FAIR and scene.noisy
    ]
    rows = [_row(scene, figures[name], setting) for name, scene in scenes.items()]
    return Part(head=HEAD, rows=rows, goals=goals, data={"figures": figures, "scenes": found})


def _name(scene: Scene) -> str:
    return f"{scene.contender.name}, {scene.all_threads} threads: {scene.noise}"


def _quiet(scene: Scene) -> Scene:
    """The scene without noise that one is compared with."""
    return next(other for other in SCENES if not other.noisy and other.fleet == scene.fleet)


def _figures(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Percentiles over the jobs of all rounds, means of the rest."""
    waits = [wait for run in runs for wait in run["waits"]]
    ideal = [wait for run in runs for wait in run["ideal"]]
    return {
        "p50": percentile(waits, 50),
        "p99": percentile(waits, 99),
        "ideal_p99": percentile(ideal, 99),
        "not_started": sum(run["not_started"] for run in runs) / len(waits),
        "load": sum(run["load"] for run in runs) / len(runs),
        "noisy": sum(run["noisy"] for run in runs) / len(runs),
    }


def _row(scene: Scene, figures: dict[str, float], setting: Setting) -> list[str]:
    # What has not started has waited for longer than was looked.
    more = ["over " if figures["not_started"] > share else "" for share in (0.5, 0.01)]
    flood = f" of {setting.extent.scene.flood_of(scene):,}" if scene.flood_times else ""
    ideal = f"{figures['ideal_times']:.2f}" if "ideal_times" in figures else "-"
    compared = [f"{more[1]}{figures['times']:,.2f}", ideal] if scene.noisy else ["", ""]
    return [
        scene.contender.name,
        str(scene.all_threads),
        scene.noise,
        f"{more[0]}{figures['p50']:,.1f}",
        f"{more[1]}{figures['p99']:,.0f}",
        compared[0],
        f"{figures['ideal_p99']:,.0f}",
        compared[1],
        f"{figures['load']:.0%}",
        f"{figures['noisy']:,.0f}{flood}" if scene.noisy else "",
    ]
