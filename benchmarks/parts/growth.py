"""Growth with limits on: what a job costs with many tenants in line, and with many parked at their limit."""

from __future__ import annotations

from statistics import median

from jobfleet.benchmarks.extent import Setting
from jobfleet.benchmarks.measurements.features import ours
from jobfleet.benchmarks.measurements.growth import cost_at
from jobfleet.benchmarks.measurements.parked import park
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
    none, parked = "no tenant parked", f"{extent.parked:,} tenants parked"
    # What waits, of how many tenants, beside how many that are parked.
    places = {
        few: (2 * extent.tenants, FEW, 0),
        many: (2 * extent.tenants, extent.tenants, 0),
        none: (WAITING, FEW, 0),
        parked: (WAITING, FEW, extent.parked),
    }
    costs: dict[str, list[dict[str, float]]] = {name: [] for name in places}

    def measure_one(name: str) -> None:
        waiting, tenants, at_limit = places[name]
        with stage(LIMITED, setting.house) as set_up:
            publish(set_up, WIDE)
            found = float(park(set_up, at_limit)) if at_limit else 0.0
            costs[name].append({**cost_at(set_up, waiting, tenants, extent.growth_jobs), "parked": found})

    setting.rotation(list(places), measure_one, extent.rounds)
    figures = {name: {key: median(cost[key] for cost in found) for key in found[0]} for name, found in costs.items()}
    rows = [
        [name, f"{cost['server_us']:.1f}", f"{cost['fleet_us']:.1f}", f"{cost['server_us'] + cost['fleet_us']:.1f}"]
        for name, cost in figures.items()
    ]
    goals = [
        Goal(
            title=f"{much}, {process}, against {little}", figure=figures[much][key] / figures[little][key], bound=bound
        )
        for much, little, bound in ((many, few, IN_LINE), (parked, none, PARKED))
        for process, key in (("Redis", "server_us"), ("worker", "fleet_us"))
    ]
    head = ("limits on", "Redis per job (us)", "worker per job (us)", "both (us)")
    return Part(head=head, rows=rows, goals=goals, data={"figures": figures, "costs": costs})
