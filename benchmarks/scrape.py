"""What a scrape costs while a million jobs wait: ``python benchmarks/scrape.py --help``.

1. A Redis server of its own gets limits of all tenants, the actors and counts of a fleet that has lived for months, and
   jobs in all queues of the fleet; nobody runs them.
2. The exporter is asked for its page again and again, first with few jobs, then with all: what a scrape takes, how many
   commands it makes Redis carry out (those in scripts included) and how long Redis is busy with them.
3. A real monitor is started and scraped over HTTP. First it audits the million jobs and records what the journal still
   has, which is the worst that a scrape can meet; it is scraped again when that is over.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

import requests
from dramatiq import Message
from rich.console import Console

from jobfleet.benchmarks import machine
from jobfleet.benchmarks.servers import RedisServer, fresh_database, fresh_redis
from jobfleet.benchmarks.stage import open_house
from jobfleet.benchmarks.watching import watching
from jobfleet.broker import QUEUES, FairBroker
from jobfleet.broker.limits import Limits
from jobfleet.broker.scripts import pack
from jobfleet.cli.tables import Column, print_table, say
from jobfleet.deploy.migrate import migrate
from jobfleet.middleware.database import Database
from jobfleet.monitoring.exporter import Exporter
from jobfleet.monitoring.label_space import LabelSpace
from jobfleet.monitoring.metrics import BUCKETS_MS, COUNTERS, DURATIONS

#: Jobs that one bulk send brings.
PORTION = 10_000
#: The small fleet beside which the large one is seen.
FEW_JOBS, FEW_TENANTS = 100, 10
#: Actors of each queue.
ACTORS = 3
#: Seconds between two scrapes, so that they meet the monitor's other work at many moments of it.
PAUSE_SECONDS = 0.02
#: What Prometheus asks for.
ACCEPTED = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
#: What a scrape may take, ms.
GOAL_MS = 50.0

COLUMNS = (
    Column("scrape"),
    *(Column(name, number=True) for name in ("p50 ms", "p95 ms", "max ms", "commands", "Redis busy ms", "bytes")),
)


@dataclass(frozen=True)
class Scrapes:
    """Scrapes of one kind."""

    #: Milliseconds of each.
    took: list[float]
    #: Commands that Redis carried out for each, and milliseconds for which they kept it busy; None where it did more.
    commands: float | None
    busy_ms: float | None
    #: Of the page.
    size: int

    def row(self, name: str) -> list[str]:
        """A line of the table."""
        percentiles = quantiles(self.took, n=100, method="inclusive")
        times = [f"{ms:.1f}" for ms in (percentiles[49], percentiles[94], max(self.took))]
        known = [f"{self.commands:,.0f}" if self.commands else "-", f"{self.busy_ms:.1f}" if self.busy_ms else "-"]
        return [name, *times, *known, f"{self.size:,}"]


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line, understood."""
    parser = argparse.ArgumentParser(
        prog="benchmarks/scrape.py",
        description="Measures what a scrape of the monitor costs while many jobs wait. About four minutes, 2 GB.",
    )
    parser.add_argument("--jobs", type=int, default=1_000_000, help="jobs that wait (default 1,000,000)")
    parser.add_argument("--tenants", type=int, default=10_000, help="whose they are (default 10,000)")
    parser.add_argument("--scrapes", type=int, default=300, help="scrapes of each kind (default 300)")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> None:
    """Fill, scrape, tell."""
    wanted = arguments(given)
    told = Console(stderr=True, highlight=False)
    about = machine.describe()
    rows = []
    with open_house(postgres=True) as house:
        assert house.postgres is not None
        with (
            fresh_redis(house.directory / "redis", append_only=False) as server,
            fresh_database(house.postgres) as database,
        ):
            migrate(database.url)
            with filled(server, wanted.tenants) as (broker, send):
                exporter = Exporter(broker, Database(database.url))
                send(FEW_JOBS, FEW_TENANTS)
                rows.append(of(exporter, server, wanted.scrapes).row(f"{FEW_JOBS} jobs, {FEW_TENANTS} tenants"))
                told.print(f"sending {wanted.jobs:,} jobs ...")
                send(wanted.jobs - FEW_JOBS, wanted.tenants)
                name = f"{wanted.jobs:,} jobs, {wanted.tenants:,} tenants"
                rows.append(of(exporter, server, wanted.scrapes).row(name))
                with watching(server.url, database.url, house) as url:
                    began = audited(url)
                    audited_meanwhile = over_http(url, wanted.scrapes)
                    rows.append(audited_meanwhile.row("the same over HTTP, a monitor that audits"))
                    if audited(url) != began:
                        told.print("the audit was over before the scrapes were: send more jobs or scrape less often")
                    told.print("waiting for the end of the audit ...")
                    while audited(url) == began:
                        time.sleep(1)
                    rows.append(over_http(url, wanted.scrapes).row("the same over HTTP, between two audits"))
    say("; ".join(f"{what} {value}" for what, value in about.items()))
    print_table(COLUMNS, rows)
    slow = quantiles(audited_meanwhile.took, n=100, method="inclusive")[94]
    verdict = "yes" if slow < GOAL_MS else "no"
    say(f"a scrape over HTTP under {GOAL_MS:.0f} ms while the monitor audits: {verdict} (p95 {slow:.1f} ms)")


@contextmanager
def filled(server: RedisServer, tenants: int) -> Iterator[tuple[FairBroker, Callable[[int, int], None]]]:
    """A broker on the server, with limits of so many tenants, and what sends jobs of some of them in turn."""
    broker = FairBroker(server.url, middleware=[])
    wide = Limits(plan="free", concurrency=10, per_minute=1_000_000, weight=1, max_backlog=10_000_000)
    broker.limits.publish({"free": wide}, {f"tenant-{number}": wide for number in range(tenants)}, version=1)
    grow_old(broker)
    queues = list(QUEUES)

    def send(jobs: int, of: int) -> None:
        for start in range(0, jobs, PORTION):
            numbers = range(start, min(jobs, start + PORTION))
            refused = [one for one in broker.enqueue_many([job(n, of) for n in numbers]) if isinstance(one, Exception)]
            if refused:
                raise RuntimeError(f"{len(refused)} jobs were refused: {refused[0]}")

    def job(number: int, of: int) -> Message[Any]:
        # Each tenant has jobs in every queue.
        queue = queues[(number // of) % len(queues)]
        kwargs = {"tenant_id": f"tenant-{number % of}", "number": number}
        return Message(queue_name=queue, actor_name=f"jobs.of_{queue}", args=(), kwargs=kwargs, options={})

    try:
        yield broker, send
    finally:
        broker.close()


def grow_old(broker: FairBroker) -> None:
    """Have every actor run with every outcome, and every bucket met."""
    names = [(queue, f"jobs.of_{queue}" + "x" * number) for queue in QUEUES for number in range(ACTORS)]
    broker.client.hset(broker.keys.actors, mapping={name: pack({"queue": queue}) for queue, name in names})
    space = LabelSpace.read(broker.commands, broker.keys)
    fields = ["\t".join((metric.name, *labels)) for metric in COUNTERS for labels in space.sets(metric)]
    for metric in DURATIONS:
        name = metric.name.removesuffix("_seconds")
        fields += [
            "\t".join((name, *labels, str(part)))
            for labels in space.sets(metric)
            for part in (*BUCKETS_MS, "inf", "sum")
        ]
    broker.client.hset(broker.keys.metrics, mapping=dict.fromkeys(fields, 1_000_000))


def of(exporter: Exporter, server: RedisServer, scrapes: int) -> Scrapes:
    """Ask the exporter, and Redis for what it did meanwhile."""
    exporter.page()
    took, size = [], 0
    commands, busy = work(server)
    for _ in range(scrapes):
        began = time.perf_counter()
        size = len(exporter.page()[0])
        took.append((time.perf_counter() - began) * 1e3)
    more, longer = work(server)
    return Scrapes(took, (more - commands) / scrapes, (longer - busy) / scrapes / 1e3, size)


def over_http(url: str, scrapes: int) -> Scrapes:
    """Scrape a monitor as Prometheus does."""
    took, size = [], 0
    with requests.Session() as session:
        session.trust_env = False
        for _ in range(scrapes):
            began = time.perf_counter()
            answer = session.get(f"{url}/metrics", headers={"Accept": ACCEPTED}, timeout=30)
            took.append((time.perf_counter() - began) * 1e3)
            answer.raise_for_status()
            size = len(answer.content)
            time.sleep(PAUSE_SECONDS)
    return Scrapes(took, None, None, size)


def audited(url: str) -> str:
    """When the monitor's last audit was over, as it says."""
    page = requests.get(f"{url}/metrics", timeout=30).text
    (line,) = (line for line in page.splitlines() if line.startswith("jobfleet_audit_last_success_timestamp_seconds "))
    return line


def work(server: RedisServer) -> tuple[int, float]:
    """Commands that the server has carried out, and microseconds for which they kept it busy."""
    found: dict[str, Any] = server.client.info("commandstats")
    # What a script calls is in the time of the script already.
    busy = sum(seen["usec"] for name, seen in found.items() if name in ("cmdstat_evalsha", "cmdstat_hgetall"))
    return sum(seen["calls"] for name, seen in found.items() if name != "cmdstat_info"), busy


if __name__ == "__main__":
    main()
