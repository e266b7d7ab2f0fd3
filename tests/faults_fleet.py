"""A fleet of real processes with servers of its own, which a test may hurt."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from dramatiq import Message
from faults_proxy import Proxy
from journal_events import rows
from processes import Process
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.broker.journal import Event
from jobfleet.cli.embedded_redis import EmbeddedRedis

HERE = Path(__file__).parent
#: Milliseconds of a lease here: long enough for a busy machine, short enough for a test.
LEASE_MS = 2_000
#: Seconds after which an actor that still runs would have noted something.
STILL_SECONDS = 0.3
#: Lost runs, with moments in seconds since the epoch.
LOST = """
SELECT lost.error AS reason, extract(epoch FROM lost.ended_at)::float AS at,
  extract(epoch FROM next.started_at)::float AS begun_anew_at
FROM job_attempts AS lost LEFT JOIN job_attempts AS next ON next.job_id = lost.job_id AND next.run = lost.run + 1
WHERE lost.outcome = 'lost'
"""
#: Seconds for what takes a moment on an idle machine.
PATIENCE = 60.0


class FaultFleet:
    """One fleet: a Redis server with append-only file, its processes behind a proxy, the test beside them.

    Every process has a folder for temporary files of its own, so that no lock file proves a death:
    to each other they are on different machines.

    Parameters:
      folder: where the servers' files are.
      environment: what processes see, such as the fixture ``fleet_environment``.
      redis: the server.
      lease_ms: milliseconds of a lease.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], redis: EmbeddedRedis, lease_ms: int) -> None:
        self.redis = redis
        self.lease_ms = lease_ms
        self.namespace = environment["JOBFLEET_NAMESPACE"]
        #: Path of the server's socket, for another proxy.
        self.redis_socket = unquote(urlsplit(redis.url).path)
        self.proxy = Proxy(self.redis_socket)
        self.database_url = environment["DATABASE_URL"]
        self.record = folder / "record"
        self.record.touch()
        self._folder = folder
        self._processes = 0
        self._stack = ExitStack()
        self._stack.enter_context(self.proxy)
        self.environment = dict(environment) | {
            "REDIS_URL": self.proxy.url,
            "JOBFLEET_LEASE_MS": str(lease_ms),
            "RECORD_FILE": str(self.record),
            "PYTHONPATH": str(HERE),
        }
        self.broker = FairBroker(redis.url, namespace=self.namespace, lease_ms=lease_ms)
        self._stack.callback(self.broker.close)

    def close(self) -> None:
        """End all that runs."""
        self._stack.close()

    def start(self, *command: str, **environment: str) -> Process:
        """Start a command of the fleet; it ends with the fleet."""
        self._processes += 1
        own = self._folder / f"tmp-{self._processes}"
        own.mkdir()
        process = Process(command, self.environment | {"TMPDIR": str(own)} | environment)
        return self._stack.enter_context(process)

    def worker(self, threads: int = 4, module: str = "faults_actors", **environment: str) -> Process:
        """Start a worker by Dramatiq's own command and wait until it has joined."""
        before = self.workers()
        process = self.start("dramatiq", module, "-p", "1", "-t", str(threads), "-Q", "work", **environment)
        eventually(lambda: len(self.workers() - before) == 1 or self._complain(process), PATIENCE)
        return process

    def supervised_worker(self, threads: int = 4) -> Process:
        """Start a worker by our own command, which starts another process for each that ends."""
        return self.start(
            "jobfleet", "worker", "faults_supervised_actors", "-p", "1", "-t", f"{threads}", "-Q", "report"
        )

    def neighbours(self, threads: int = 4) -> tuple[Process, Process]:
        """Start two workers that see each other's lock files, as on one machine."""
        machine = self._folder / "machine"
        machine.mkdir()
        return self.worker(threads, TMPDIR=str(machine)), self.worker(threads, TMPDIR=str(machine))

    def monitor(self, **environment: str) -> Process:
        """Start a monitor and wait until it records."""
        process = self.start("jobfleet", "monitor", **environment)
        fleet = f"{self.broker.keys.prefix}:fleet"
        eventually(lambda: self.broker.client.hget(fleet, "recorder") == b"1" or self._complain(process), PATIENCE)
        return process

    @staticmethod
    def _complain(process: Process) -> bool:
        assert process.running, process.errors
        return False

    def workers(self) -> set[str]:
        """Names of the workers that are registered."""
        names: Any = self.broker.client.zrange(self.broker.keys.workers, 0, -1)
        return {name.decode() for name in names}

    def send(self, numbers: range, seconds: float = 0.0, **options: Any) -> list[str]:
        """Send naps; returns the ids of their jobs."""
        messages = [nap(number, seconds) for number in numbers]
        outcomes = self.broker.enqueue_many(messages, **options)
        assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
        return [message.message_id for message in messages]

    def lines(self, kind: str | None = None) -> list[list[str]]:
        """What the actors have noted: kind, number, process id."""
        found = [line.split() for line in self.record.read_text().splitlines()]
        return [line for line in found if kind in (None, line[0])]

    def await_lines(self, kind: str, count: int, timeout: float = PATIENCE) -> list[list[str]]:
        """Wait until actors have noted something so many times."""
        return eventually(lambda: found if len(found := self.lines(kind)) >= count else None, timeout)

    def still(self, seconds: float = STILL_SECONDS) -> bool:
        """No actor has noted anything for a while."""
        return time.time() - self.record.stat().st_mtime > seconds

    def await_completed(self, count: int, timeout: float = PATIENCE) -> None:
        """Wait until so many jobs of the queue are completed."""
        eventually(lambda: self.broker.stats(["work"])[0].completed == count, timeout)

    def counter(self, name: str) -> int:
        """One of the fleet's counters."""
        return int(self.broker.client.hget(self.broker.keys.metrics, name) or 0)

    def events(self) -> list[Event]:
        """Everything in the journal, for tests without a recorder."""
        return [event for entry in self.broker.journal.read(count=100_000) for event in entry.events]

    def runs(self) -> Counter[str]:
        """How many runs ended how, by the job log."""
        found = rows(self.database_url, "SELECT outcome, count(*) AS n FROM job_attempts GROUP BY outcome")
        return Counter({row["outcome"]: row["n"] for row in found})

    def lost(self) -> list[dict[str, Any]]:
        """Runs that were taken back: why, when, and when the next run of the job began; by the job log."""
        return rows(self.database_url, LOST)

    def prove(self, **expected: int) -> None:
        """The audit finds nothing, and the log is complete: so many jobs of each status, each completed once."""
        eventually(lambda: self.broker.journal.lag()[0] == 0, PATIENCE)
        report = self.broker.audit()
        assert report.clean, str(report)
        found = rows(self.database_url, "SELECT status, count(*) AS n FROM job_logs GROUP BY status")
        assert {row["status"]: row["n"] for row in found} == expected
        runs = self.runs()
        assert runs["completed"] == expected.get("completed", 0), "no job is completed twice"
        assert runs["running"] == 0, "every run has its end in the log"


@contextmanager
def fault_fleet(
    folder: Path, environment: Mapping[str, str], *, lease_ms: int = LEASE_MS, config: Mapping[str, str] | None = None
) -> Iterator[FaultFleet]:
    """A fleet in a folder, ended and its server removed at the end."""
    redis = EmbeddedRedis(folder / "redis", config=config)
    redis.start()
    try:
        fleet = FaultFleet(folder, environment, redis, lease_ms)
        try:
            yield fleet
        finally:
            fleet.close()
    finally:
        redis.remove()


def nap(number: int, seconds: float = 0.0, ballast: str = "") -> Message[Any]:
    """A job that takes some time."""
    return Message(queue_name="work", actor_name="naps", args=(number, seconds, ballast), kwargs={}, options={})


def child(process: Process) -> int:
    """The process that works: Dramatiq's command is a parent with one child here."""
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])


def kill(process: Process) -> None:
    """Kill a worker as the kernel's out-of-memory killer would: it has no last word."""
    os.kill(child(process), signal.SIGKILL)


def freeze(process: Process) -> None:
    """Stop a worker in mid-step, as a virtual machine that is moved or a debugger does."""
    os.kill(child(process), signal.SIGSTOP)


def thaw(process: Process) -> None:
    """Let a frozen worker go on as if no time had passed."""
    os.kill(child(process), signal.SIGCONT)
