"""The demo's fleet: everything that a fleet consists of, small and whole, in a home of its own.

1. The environment is made: nothing that the user has set reaches the demo, so no real server is ever touched.
2. A mail server and a webhook receiver stand for the outside world.
3. Redis and PostgreSQL are started and the tables made.
4. The monitor and two workers are processes of their own, started with the commands that a real fleet uses.
5. At the end all of it stops in the reverse order, whatever happened. On Linux processes and servers also end
   when this process is killed.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from ..actors import send_email
from ..broker import FairBroker
from ..broker.errors import ConfigurationError
from ..broker.fleet_file import FleetFile
from ..deploy.migrate import migrate
from ..middleware.archive import PostgresArchive
from ..middleware.database import database
from ..middleware.job_history import JobHistory
from .demo_environment import demo_environment, logged_to
from .demo_load import DEFERRED, ENDPOINTS, REFUSED, SECRET
from .embedded_postgres import EmbeddedPostgres
from .embedded_process import EmbeddedProcess
from .embedded_redis import EmbeddedRedis
from .smtp_sink import SmtpSink
from .webhook_receiver import WebhookReceiver

#: Processes, threads of each, and the queues that both serve.
WORKERS = 2
THREADS = 8
QUEUES = ("email", "webhook")
#: Milliseconds before the second attempt of a demo's job; the queue table's own are 2 s and 5 s.
FIRST_BACKOFF_MS = 1_000
#: Seconds that the workers get to join.
JOIN_SECONDS = 60.0
WORKER = ("worker", *(argument for queue in QUEUES for argument in ("--queue", queue)), "--threads", str(THREADS))
#: The fleet's processes, and what follows the word jobfleet to start each.
COMMANDS = {"monitor": ("monitor",), **{f"worker-{number}": WORKER for number in range(1, WORKERS + 1)}}
CONFIGURATION = "".join(f"[queues.{queue}]\nfirst_backoff_ms = {FIRST_BACKOFF_MS}\n" for queue in QUEUES)


class DemoFleet:
    """A fleet that lives as long as the block. One per process: it uses the process's own broker and database.

    Parameters:
      home: an empty folder for logs and the servers' data.
      keep: leave the data there at the end.
    """

    def __init__(self, home: Path, *, keep: bool = False) -> None:
        self.home = home
        self._keep = keep
        self.redis = EmbeddedRedis(home / "redis")
        #: Can be stopped and started again, to play an outage.
        self.postgres = EmbeddedPostgres(home / "postgres", fsync=False)
        self.mail = SmtpSink(refused=[REFUSED], deferred=[DEFERRED])
        self.receiver = WebhookReceiver(ENDPOINTS, SECRET)
        self._processes = {name: self._process(name) for name in COMMANDS}
        self._stack = ExitStack()

    @property
    def broker(self) -> FairBroker:
        """The broker over which the application sends."""
        broker = send_email.broker
        assert isinstance(broker, FairBroker)
        return broker

    @property
    def history(self) -> JobHistory:
        """The job log."""
        return JobHistory(database())

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(logged_to(self.home / "demo.log"))
            stack.enter_context(self.mail)
            stack.enter_context(self.receiver)
            for server in (self.redis, self.postgres):
                # Before the start, so that a server that comes half up leaves nothing either.
                stack.callback(server.close if self._keep else server.remove)
                server.start()
            stack.enter_context(demo_environment(self._environment()))
            stack.callback(FleetFile(self.home).remove)
            FleetFile(self.home).write(redis_url=self.redis.url, database_url=self.postgres.url)
            migrate(self.postgres.url)
            stack.enter_context(self._connected())
            stack.callback(self.stop)
            self._start_processes()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def check(self) -> None:
        """Look whether monitor and workers still run.

        Raises:
          ConfigurationError: one has ended; with the end of its log.
        """
        for name, process in self._processes.items():
            if process.pid is None:
                lines = process.log.read_text(errors="replace").strip().splitlines()
                raise ConfigurationError(f"the demo's {name} has ended: {lines[-1] if lines else 'it said nothing'}")

    def stop(self) -> None:
        """Let the workers finish what they run and leave, and the monitor with them; what was not begun goes back."""
        # All at once, as each takes some seconds.
        with ThreadPoolExecutor(len(self._processes)) as threads:
            for stopped in [threads.submit(process.stop) for process in self._processes.values()]:
                stopped.result()

    def _environment(self) -> dict[str, str]:
        configuration = self.home / "jobfleet.toml"
        configuration.write_text(CONFIGURATION)
        return {
            "REDIS_URL": self.redis.url,
            # The logs of a demo are read by people.
            "JOBFLEET_LOG_FORMAT": "text",
            "DATABASE_URL": self.postgres.url,
            "SMTP_URL": f"smtp://127.0.0.1:{self.mail.port}?from=orders@shop.example",
            "WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
            # Workers keep files for the whole machine there; those of a demo go with its home.
            "TMPDIR": str(self.home),
            "JOBFLEET_HOME": str(self.home),
            "JOBFLEET_CONFIG": str(configuration),
        }

    @contextmanager
    def _connected(self) -> Iterator[None]:
        self.broker.archive = PostgresArchive(database())
        try:
            yield
        finally:
            self.broker.close()
            database().close()

    def _process(self, name: str) -> EmbeddedProcess:
        # When this process was killed the servers are gone too: who then ends in good order waits for them in vain.
        return EmbeddedProcess(self.home, name, stop_signal=signal.SIGTERM, death_signal=signal.SIGKILL)

    def _start_processes(self) -> None:
        for name, process in self._processes.items():
            process.start([sys.executable, "-m", "jobfleet.cli", *COMMANDS[name]])
        deadline = time.monotonic() + JOIN_SECONDS
        while self.broker.client.zcard(self.broker.keys.workers) < WORKERS:
            self.check()
            if time.monotonic() > deadline:
                raise ConfigurationError(f"the workers did not join within {JOIN_SECONDS:g} s")
            time.sleep(0.05)
