"""FairBroker with everything on: the monitor records to PostgreSQL, all on the same cores."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from jobfleet.benchmarks.measurements.drain import drain
from jobfleet.benchmarks.stage import Stage
from jobfleet.broker import FairBroker
from jobfleet.deploy.migrate import migrate

#: Sends per second that are tried, and seconds of each.
RATES = range(1000, 15_001, 500)
RATE_SECONDS = 6.0
#: Jobs of one bulk send at a steady rate.
PORTION = 50
#: Seconds that the oldest unrecorded event may be old at the end of a flat rate, and that the rate may be missed by.
FLAT_SECONDS = 1.0
SHORTFALL = 0.97


@contextmanager
def recording(stage: Stage, database_url: str) -> Iterator[FairBroker]:
    """A monitor process that records; yields a broker that sees its lag."""
    migrate(database_url)
    environment = {**stage.environment, "REDIS_URL": stage.server.url, "DATABASE_URL": database_url}
    with stage.log.open("a") as log:
        monitor = subprocess.Popen(
            [sys.executable, "-m", "jobfleet.cli", "monitor"], env=environment, stdout=log, stderr=log
        )
    broker = FairBroker(stage.server.url)
    try:
        yield broker
    finally:
        monitor.terminate()
        monitor.wait(timeout=15)
        broker.close()


def drain_recorded(stage: Stage, broker: FairBroker, jobs: int) -> dict[str, float]:
    """A drain while the recorder works; also how long it then takes to have recorded all."""
    stage.sender.tell("bulk", jobs)
    _recorded(broker, 120)
    result = drain(stage, stage.start(2), jobs, 2)
    began = time.perf_counter()
    _recorded(broker, 120)
    return {**result, "caught_up_s": time.perf_counter() - began}


def flat_rate(stage: Stage, broker: FairBroker) -> list[dict[str, float | bool]]:
    """Send faster and faster, until the lag grows at two rates in a row; the highest flat one is the answer."""
    tried: list[dict[str, float | bool]] = []
    for rate in RATES:
        sent = _send_at(stage, rate)
        events, seconds = broker.journal.lag()
        waiting = broker.stats(["default"])[0].waiting
        flat = sent >= rate * SHORTFALL and seconds <= FLAT_SECONDS and waiting <= rate * FLAT_SECONDS
        tried.append(
            {"rate": rate, "sent": sent, "lag_events": events, "lag_s": seconds, "waiting": waiting, "flat": flat}
        )
        _recorded(broker, 120)
        if not any(attempt["flat"] for attempt in tried[-2:]):
            break
    return tried


def _send_at(stage: Stage, rate: int) -> float:
    """Send at a steady rate; returns the rate that was reached."""
    began = time.perf_counter()
    sent = 0
    while sent < rate * RATE_SECONDS:
        pause = began + sent / rate - time.perf_counter()
        if pause > 0:
            time.sleep(pause)
        stage.sender.tell("bulk", PORTION)
        sent += PORTION
    return sent / (time.perf_counter() - began)


def _recorded(broker: FairBroker, patience: float) -> None:
    deadline = time.monotonic() + patience
    while broker.journal.lag()[0]:
        if time.monotonic() > deadline:
            raise RuntimeError("the recorder does not catch up")
        time.sleep(0.05)
