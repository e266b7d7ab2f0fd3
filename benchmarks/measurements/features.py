"""What a feature costs: sends one by one and in bulk, and the drain, with some of them switched on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from jobfleet.benchmarks.contender import Contender
from jobfleet.benchmarks.field import FIELD, REFERENCE
from jobfleet.benchmarks.measurements.drain import drain
from jobfleet.benchmarks.measurements.plans import WIDE, publish
from jobfleet.benchmarks.measurements.recorded import recording
from jobfleet.benchmarks.servers import fresh_database
from jobfleet.benchmarks.stage import House, Stage, stage
from jobfleet.deploy.migrate import migrate

#: Features for which plans are published: wide ones, so that everything is counted and nothing reached.
LIMITED = {"rate", "concurrency"}


def ours(name: str, *features: str) -> Contender:
    """FairBroker with some features."""
    distributions = ("dramatiq", "redis")
    return Contender(
        name=name, module="fair_features", distributions=distributions, peer=False, spawns=True, features=features
    )


ON = ("keys", "concurrency", "rate", "log")
#: All on, for some tenants.
EVERYTHING = (*ON, "tenants")

#: With nothing on, then feature by feature, then with all.
PEERS = tuple(contender for contender in FIELD if contender.name in (REFERENCE, "BullMQ"))
NOTHING = ours("nothing but the journal")
ALL = ours("all: limits, keys, journal, log; 10 tenants", *EVERYTHING)
RECORDED = ours("all, recorder and PostgreSQL beside it", *EVERYTHING, "recorder")
FEATURES = (
    NOTHING,
    ours("keys: one for each job", "keys"),
    ours("concurrency: one tenant's", "concurrency"),
    ours("rate, backlog and concurrency: one tenant's", "rate", "concurrency"),
    ours("fairness: 1,000 tenants in line", "fairness"),
    ours("log: the stamps of JobLog", "log"),
    ALL,
    ours("all, 1,000 tenants in line", *ON, "fairness"),
    ours("all, with the middleware of the fleet's own actors", *EVERYTHING, "fleet"),
    RECORDED,
)


def take_turn(contender: Contender, house: House, jobs: int) -> dict[str, float]:
    """Measure one contender once."""
    with stage(contender, house) as set_up, _recorded(set_up, house):
        if LIMITED & set(contender.features):
            publish(set_up, WIDE)
        singles = jobs // 5
        set_up.sender.tell("singles", singles // 10)
        found = {
            "single": singles / set_up.sender.tell("singles", singles).seconds,
            "bulk": jobs / set_up.sender.tell("bulk", jobs).seconds,
        }
        return found | drain(set_up, set_up.start(2), jobs + singles + singles // 10, 2)


@contextmanager
def _recorded(set_up: Stage, house: House) -> Iterator[None]:
    """A recorder beside it, if that is asked for; its PostgreSQL has the plan that everybody is on."""
    if "recorder" not in set_up.contender.features:
        yield
        return
    assert house.postgres is not None
    with fresh_database(house.postgres) as database:
        migrate(database.url)
        with psycopg.connect(database.url) as connection:
            row = [WIDE.plan, WIDE.concurrency, WIDE.per_minute, WIDE.weight, WIDE.max_backlog]
            connection.execute("DELETE FROM plans WHERE name = %s", row[:1])
            connection.execute(
                "INSERT INTO plans (name, concurrency, max_jobs_per_minute, weight, max_backlog)"
                " VALUES (%s, %s, %s, %s, %s)",
                row,
            )
        with recording(set_up, database.url):
            yield
