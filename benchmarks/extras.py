"""What only FairBroker is asked: growth, and the cost of recording."""

from __future__ import annotations

from statistics import median
from typing import Any

import psycopg

from jobfleet.benchmarks.field import FIELD
from jobfleet.benchmarks.measurements.growth import bytes_per_job, cost_at
from jobfleet.benchmarks.measurements.recorded import drain_recorded, flat_rate, recording
from jobfleet.benchmarks.servers import fresh_database
from jobfleet.benchmarks.stage import House, stage

OURS = FIELD[0]


def growth(house: House, jobs: int, many: int, rounds: int) -> dict[str, Any]:
    """Cost per job with few and many waiting, with few and many tenants in line; memory of a waiting job."""
    tenants = max(many // 100, 20)
    places = {
        "1,000 waiting": (1000, 1),
        f"{many:,} waiting": (many, 1),
        "10 tenants in line": (2 * tenants, 10),
        f"{tenants:,} tenants in line": (2 * tenants, tenants),
    }
    costs: dict[str, list[dict[str, float]]] = {name: [] for name in places}
    for _ in range(rounds):
        for name, (waiting, in_line) in places.items():
            with stage(OURS, house) as set_up:
                costs[name].append(cost_at(set_up, waiting, in_line, jobs))
    with stage(OURS, house) as set_up:
        memory = bytes_per_job(set_up, many)
    middle = {name: {key: median([cost[key] for cost in found]) for key in found[0]} for name, found in costs.items()}
    summary = {
        name: f"Redis {cost['server_us']:.1f} us, worker {cost['fleet_us']:.1f} us" for name, cost in middle.items()
    }
    few, plenty, ten, line = middle.values()
    summary["waiting, times the cost (target 1.25)"] = _times(plenty, few)
    summary["tenants, times the cost (target 1.5)"] = _times(line, ten)
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


def _times(much: dict[str, float], little: dict[str, float]) -> str:
    return f"Redis {much['server_us'] / little['server_us']:.2f}, worker {much['fleet_us'] / little['fleet_us']:.2f}"
