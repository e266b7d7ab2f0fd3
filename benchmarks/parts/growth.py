"""Growth with limits on: what a job costs with many tenants in line, and with many parked at their limit."""

from __future__ import annotations

from contextlib import ExitStack
from statistics import median

from jobfleet.benchmarks.extent import Setting
from jobfleet.benchmarks.measurements.features import ours
from jobfleet.benchmarks.measurements.growth import costs_in_turn, times_in_turn
from jobfleet.benchmarks.measurements.level import Level
from jobfleet.benchmarks.measurements.parked import parked
from jobfleet.benchmarks.measurements.plans import WIDE, publish
from jobfleet.benchmarks.part import Goal, Part
from jobfleet.benchmarks.stage import stage

LIMITED = ours("FairBroker", "rate", "concurrency")

#: Tenants in line where there are few, and jobs that wait beside parked tenants.
FEW, WAITING = 10, 1_000
IN_LINE, PARKED = 1.5, 1.1


def measure(setting: Setting) -> Part:
    """Hold each level and count what a job costs."""
    extent = setting.extent
    few, many = f"{FEW} tenants in line", f"{extent.tenants:,} tenants in line"
    none, full = "no tenant parked", f"{extent.parked:,} tenants parked"
    # What waits, of how many tenants, beside how many that are parked; each pair stands at once.
    pairs = (
        ((few, 2 * extent.tenants, FEW, 0), (many, 2 * extent.tenants, extent.tenants, 0)),
        ((none, WAITING, FEW, 0), (full, WAITING, FEW, extent.parked)),
    )
    costs: dict[str, list[dict[str, float]]] = {few: [], many: [], none: [], full: []}

    def measure_pair(name: str) -> None:
        pair = pairs[titles.index(name)]
        with ExitStack() as stack:
            levels = []
            for _, waiting, tenants, at_limit in pair:
                set_up = stack.enter_context(stage(LIMITED, setting.house))
                publish(set_up, WIDE)
                if at_limit:
                    stack.enter_context(parked(set_up, at_limit))
                levels.append(Level(set_up, waiting, tenants))
            for (level, *_rest), cost in zip(pair, costs_in_turn(levels, extent.growth_jobs), strict=True):
                costs[level].append(cost)

    titles = [f"{pair[1][0]} against {pair[0][0]}" for pair in pairs]
    setting.rotation(titles, measure_pair, extent.rounds)
    figures = {name: {key: median(cost[key] for cost in found) for key in found[0]} for name, found in costs.items()}
    rows = [
        [name, f"{cost['server_us']:.1f}", f"{cost['fleet_us']:.1f}", f"{cost['server_us'] + cost['fleet_us']:.1f}"]
        for name, cost in figures.items()
    ]
    goals = [
        Goal(
            title=f"{much}, {process}, against {little}",
            figure=times_in_turn(costs[much], costs[little], key),
            bound=bound,
        )
        for much, little, bound in ((many, few, IN_LINE), (full, none, PARKED))
        for process, key in (("Redis", "server_us"), ("worker", "fleet_us"))
    ]
    head = ("limits on", "Redis per job (us)", "worker per job (us)", "both (us)")
    return Part(head=head, rows=rows, goals=goals, data={"figures": figures, "costs": costs})
