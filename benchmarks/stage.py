"""Where one contender is measured: a fresh server, its application and its workers."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from jobfleet.benchmarks import node
from jobfleet.benchmarks.contender import CONCURRENCY, THREADS, Contender
from jobfleet.benchmarks.marks_reader import MarksReader
from jobfleet.benchmarks.sender import Sender
from jobfleet.benchmarks.servers import Server, fresh_database, fresh_redis
from jobfleet.benchmarks.workers import Workers
from jobfleet.cli.embedded_postgres import EmbeddedPostgres

#: Seconds after which a fleet that has not begun to work counts as broken.
BOOT_SECONDS = 30.0


@dataclass(kw_only=True)
class House:
    """What all stages of a run share."""

    directory: Path
    node_modules: Path
    append_only: bool = False
    postgres: EmbeddedPostgres | None = None

    def prepare(self, contender: Contender) -> tuple[str, dict[str, str]]:
        """Install what a contender needs; returns what keeps it from taking part, or '', and its releases."""
        if problem := contender.missing():
            return problem, {}
        if not contender.node:
            return "", contender.versions()
        self.node_modules, problem = node.install(self.directory / "node")
        return problem, {} if problem else node.versions(self.node_modules)


@contextmanager
def open_house(*, append_only: bool = False, postgres: bool = False) -> Iterator[House]:
    """A folder for all stages of a run, and a PostgreSQL if it is needed; all is removed afterwards."""
    with ExitStack() as stack:
        temporary = TemporaryDirectory(prefix="jobfleet-bench-", ignore_cleanup_errors=True)
        directory = Path(stack.enter_context(temporary))
        # PostgreSQL runs as a user of its own when we are root.
        directory.chmod(0o755)
        house = House(directory=directory, node_modules=directory / "node", append_only=append_only)
        if postgres:
            house.postgres = EmbeddedPostgres(directory / "postgres")
            stack.enter_context(house.postgres)
            stack.callback(house.postgres.remove)
        yield house


@dataclass(kw_only=True)
class Stage:
    """One contender with everything that it needs, running."""

    contender: Contender
    server: Server
    sender: Sender
    marks: MarksReader
    directory: Path
    environment: dict[str, str]
    _workers: list[Workers] = field(default_factory=list)

    def start(self, processes: int, *, apart: bool = False, threads: int = CONCURRENCY) -> Workers:
        """Start worker processes; `apart` keeps them from sharing a parent, so that one can be killed.

        Only the contenders of the noisy neighbour can have other than ten `threads` a process.
        """
        if self.contender.spawns and not apart:
            commands = [self.contender.command("worker", processes)]
        else:
            commands = [self.contender.command("worker") for _ in range(processes)]
        workers = Workers(commands, {**self.environment, THREADS: str(threads)}, self.log)
        self._workers.append(workers)
        return workers

    def warm(self, processes: int) -> None:
        """Send no-op jobs until every worker process has run some and all have run.

        Raises:
          RuntimeError: they do not.
        """
        deadline = time.monotonic() + BOOT_SECONDS
        sent = self.marks.total()
        while len([count for count in self.marks.counts().values() if count]) < processes:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the workers do not begin:\n{self.log.read_text()[-2000:]}")
            self.sender.tell("singles", 40)
            sent += 40
            time.sleep(0.1)
        while self.marks.total() < sent and time.monotonic() < deadline:
            time.sleep(0.05)

    @property
    def log(self) -> Path:
        """What the contender's processes have written."""
        return self.directory / "log"

    def stop(self) -> None:
        """Stop all workers."""
        while self._workers:
            self._workers.pop().stop()


@contextmanager
def stage(contender: Contender, house: House) -> Iterator[Stage]:
    """Set the stage for one contender, and clear it."""
    directory = Path(mkdtemp(prefix=f"{contender.module}-", dir=house.directory))
    marks = directory / "marks"
    marks.mkdir()
    serving: AbstractContextManager[Server]
    if contender.server == "redis":
        serving = fresh_redis(directory / "redis", append_only=house.append_only)
    else:
        assert house.postgres is not None
        serving = fresh_database(house.postgres)
    with serving as server:
        environment = contender.environment(server.url, marks, house.node_modules)
        with Sender(contender.command("sender"), environment, directory / "log") as sender:
            set_up = Stage(
                contender=contender,
                server=server,
                sender=sender,
                marks=MarksReader(marks),
                directory=directory,
                environment=environment,
            )
            try:
                yield set_up
            finally:
                set_up.stop()
    shutil.rmtree(directory, ignore_errors=True)
