"""Feature by feature: what each costs, and whether all together are still faster than others with nothing on."""

from __future__ import annotations

from statistics import median

from jobfleet.benchmarks.contender import Contender
from jobfleet.benchmarks.extent import Setting
from jobfleet.benchmarks.field import REFERENCE
from jobfleet.benchmarks.measurements.features import ALL, FEATURES, PEERS, take_turn
from jobfleet.benchmarks.part import Goal, Part

#: What the drain with everything on must be, in multiples of others' with nothing on.
AGAINST = {REFERENCE: 2.5, "BullMQ": 1.0}

#: Title, unit and digits of each column of figures.
COLUMNS = {
    "single": "single send (jobs/s)",
    "bulk": "bulk send (jobs/s)",
    "drain": "no-op drain, 2 x 10 (jobs/s)",
    "fleet_us": "fleet per job (us)",
    "server_us": "server per job (us)",
}

Figures = dict[str, list[float]]


def measure(setting: Setting) -> Part:
    """Measure everybody in every round."""
    taking_part: dict[str, Contender] = {}
    releases: dict[str, str] = {}
    for contender in (*PEERS, *FEATURES):
        problem, versions = setting.house.prepare(contender)
        if problem:
            setting.console.print(f"{contender.name} is left out: {problem}")
            continue
        taking_part[contender.name] = contender
        releases |= versions
    samples: dict[str, Figures] = {name: {} for name in taking_part}

    def take(name: str) -> None:
        if name not in samples:
            return
        try:
            found = take_turn(taking_part[name], setting.house, setting.extent.jobs)
        except (RuntimeError, OSError) as error:
            if name in (REFERENCE, ALL.name):
                raise
            setting.console.print(f"{name} is left out: {error}")
            del samples[name]
            return
        for key, value in found.items():
            samples[name].setdefault("drain" if key == "rate" else key, []).append(value)

    setting.rotation(list(taking_part), take, setting.extent.rounds)
    head = ("", *COLUMNS.values(), f"drain, times {REFERENCE}'s")
    rows = [_row(name, figures, samples[REFERENCE]) for name, figures in samples.items()]
    goals = [
        Goal(
            title=f"drain, {ALL.name}, against {peer}",
            figure=_ratio(samples[ALL.name], samples[peer]),
            bound=bound,
            at_least=True,
        )
        for peer, bound in AGAINST.items()
        if peer in samples
    ]
    return Part(head=head, rows=rows, goals=goals, data={"samples": samples, "versions": releases})


def _ratio(ours: Figures, others: Figures) -> float:
    """The median of the rounds' ratios."""
    return median(mine / other for mine, other in zip(ours["drain"], others["drain"], strict=True))


def _row(name: str, figures: Figures, reference: Figures) -> list[str]:
    cells = [f"{median(figures[key]):,.0f}" for key in COLUMNS]
    label = f"{name}, nothing on" if name in AGAINST else name
    return [label, *cells, f"{_ratio(figures, reference):.2f}"]
