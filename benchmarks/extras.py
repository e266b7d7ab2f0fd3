"""What only FairBroker is asked: growth, and the cost of recording."""

from __future__ import annotations

from contextlib import ExitStack
from statistics import median
from typing import Any

import psycopg

from jobfleet.benchmarks.field import FIELD
from jobfleet.benchmarks.measurements.growth import bytes_per_job, costs_in_turn, times_in_turn
from jobfleet.benchmarks.measurements.level import Level
from jobfleet.benchmarks.measurements.recorded import drain_recorded, flat_rate, recording
from jobfleet.benchmarks.servers import fresh_database
from jobfleet.benchmarks.stage import House, stage

OURS = FIELD[0]


def growth(house: House, jobs: int, many: int, rounds: int) -> dict[str, Any]:
    """Cost per job with few and many waiting, with few and many tenants in line; memory of a waiting job."""
    tenants = max(many // 100, 20)
    few, plenty = "1,000 waiting", f"{many:,} waiting"
    ten, line = "10 tenants in line", f"{tenants:,} tenants in line"
    pairs = (((few, 1000, 1), (plenty, many, 1)), ((ten, 2 * tenants, 10), (line, 2 * tenants, tenants)))
    costs: dict[str, list[dict[str, float]]] = {few: [], plenty: [], ten: [], line: []}
    for _ in range(rounds):
        for pair in pairs:
            with ExitStack() as stack:
                levels = [Level(stack.enter_context(stage(OURS, house)), *extent) for _, *extent in pair]
                for (name, *_rest), cost in zip(pair, costs_in_turn(levels, jobs), strict=True):
                    costs[name].append(cost)
    with stage(OURS, house) as set_up:
        memory = bytes_per_job(set_up, many)
    middle = {name: {key: median([cost[key] for cost in found]) for key in found[0]} for name, found in costs.items()}
    summary = {
        name: f"Redis {cost['server_us']:.1f} us, worker {cost['fleet_us']:.1f} us" for name, cost in middle.items()
    }
    summary["waiting, times the cost (target 1.25)"] = _times(costs[plenty], costs[few])
    summary["tenants, times the cost (target 1.5)"] = _times(costs[line], costs[ten])
    summary["Redis bytes of a waiting job beyond its message"] = (
        f"{memory['beyond']:.0f} (message {memory['payload']:.0f})"
    )
    summary["journal bytes of a waiting job, no recorder"] = f"{memory['journal']:.0f}"
    return {"summary": summary, "costs": costs, "memory": memory}


def recorder(house: House, jobs: int) -> dict[str, Any]:
    """A drain and the steady rate with the recorder and PostgreSQL at work on the same cores."""
    assert house.postgres is not None
    with fresh_database(house.postgres) as database:
        with stage(OURS, house) as set_up, recording(set_up, database.url) as broker:
            drained = drain_recorded(set_up, broker, jobs)
        with psycopg.connect(database.url) as connection:
            row = connection.execute("SELECT count(*) FROM job_logs WHERE status = 'completed'").fetchone()
            logged = int((row or [0])[0])
    with (
        fresh_database(house.postgres) as database,
        stage(OURS, house) as set_up,
        recording(set_up, database.url) as broker,
    ):
        set_up.start(2)
        set_up.warm(2)
        tried = flat_rate(set_up, broker)
    flat = max((attempt["sent"] for attempt in tried if attempt["flat"]), default=0.0)
    summary = {
        "drain with recorder and PostgreSQL (jobs/s)": f"{drained['rate']:,.0f}",
        "recorded all after the drain (s)": f"{drained['caught_up_s']:.1f}",
        "completed jobs in the log": f"{logged:,} of {jobs:,}",
        "rate of sends with a flat lag (jobs/s)": f"{flat:,.0f}",
    }
    return {"summary": summary, "drain": drained, "rates": tried}


def _times(much: list[dict[str, float]], little: list[dict[str, float]]) -> str:
    redis, worker = (times_in_turn(much, little, key) for key in ("server_us", "fleet_us"))
    return f"Redis {redis:.2f}, worker {worker:.2f}"
