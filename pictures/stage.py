"""The fleet that is looked at: servers, outside world, monitor, workers, and a Prometheus that scrapes it all.

Its data is kept: a dashboard that was changed can ask the same run again.
"""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType

from jobfleet.actors import send_email
from jobfleet.broker import FairBroker
from jobfleet.cli.demo_environment import demo_environment, logged_to
from jobfleet.cli.embedded_postgres import EmbeddedPostgres
from jobfleet.cli.embedded_process import EmbeddedProcess
from jobfleet.cli.embedded_prometheus import EmbeddedPrometheus
from jobfleet.cli.embedded_redis import EmbeddedRedis
from jobfleet.cli.free_port import free_port
from jobfleet.cli.smtp_sink import SmtpSink
from jobfleet.cli.webhook_receiver import WebhookReceiver
from jobfleet.deploy.migrate import migrate
from jobfleet.middleware.archive import PostgresArchive
from jobfleet.middleware.database import database
from jobfleet.pictures.fleet import Fleet
from jobfleet.pictures.outside import DEFERRED, ENDPOINTS, REFUSED, SECRET
from jobfleet.pictures.sources import Sources

#: Worker process -> the queues that it serves and its threads.
WORKERS = MappingProxyType(
    {
        "worker-mail": (("email", "notification", "webhook"), 12),
        "worker-batch": (("report", "export", "image-processing"), 6),
        "worker-night": (("ai", "analytics", "cleanup"), 3),
    }
)
#: Second attempts come sooner than they usually do, so that a run of minutes sees all of them.
CONFIGURATION = """
[queues.email]
first_backoff_ms = 1000
[queues.webhook]
first_backoff_ms = 1000
"""
#: As often as a small fleet is scraped; rates over four of them are smooth enough to be read.
SCRAPE_SECONDS = 5
PROMETHEUS = """
global:
  scrape_interval: {seconds}s
  evaluation_interval: {seconds}s
rule_files: {rules}
scrape_configs:
  - job_name: jobfleet-monitor
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""


class Stage:
    """Where the fleet runs.

    Parameters:
      home: the folder of its data.
      rules: the folder of the rules that Prometheus evaluates.
    """

    def __init__(self, home: Path, rules: Path) -> None:
        self.home = home
        self._rules = rules
        self._redis = EmbeddedRedis(home / "redis")
        #: The job log.
        self.postgres = EmbeddedPostgres(home / "postgres", fsync=False)

    def clear(self) -> None:
        """Remove what an earlier run has left."""
        shutil.rmtree(self.home, ignore_errors=True)

    @contextmanager
    def running(self) -> Iterator[Fleet]:
        """The whole fleet at work, until the block ends."""
        self.home.mkdir(parents=True)
        # PostgreSQL runs as a user of its own when we are root.
        self.home.chmod(0o755)
        port = free_port()
        mail, receiver = SmtpSink(refused=[REFUSED], deferred=[DEFERRED]), WebhookReceiver(ENDPOINTS, SECRET)
        with ExitStack() as stack:
            stack.enter_context(logged_to(self.home / "pictures.log"))
            for part in (mail, receiver, self._redis, self.postgres):
                stack.enter_context(part)
            stack.enter_context(demo_environment(self._environment(mail.port, port)))
            migrate(self.postgres.url)
            broker = send_email.broker
            assert isinstance(broker, FairBroker)
            broker.archive = PostgresArchive(database())
            stack.callback(broker.close)
            stack.callback(database().close)
            fleet = Fleet(broker, receiver, {name: self._process(name) for name in _commands()}, _commands(), port)
            stack.callback(fleet.stop)
            fleet.start()
            yield fleet

    def prometheus(self, monitor_port: int = 1) -> EmbeddedPrometheus:
        """The Prometheus that scrapes a monitor of this port, or nobody; it remembers what it has scraped before."""
        rules = [str(self._rules / "*.yml")] if self._rules.is_dir() else []
        configuration = PROMETHEUS.format(seconds=SCRAPE_SECONDS, rules=rules, port=monitor_port)
        return EmbeddedPrometheus(self.home / "prometheus", configuration)

    def sources(self, prometheus: EmbeddedPrometheus) -> Sources:
        """Whom the dashboards ask."""
        return Sources(prometheus_url=prometheus.url, database_url=self.postgres.url, scrape=SCRAPE_SECONDS)

    def _environment(self, mail_port: int, monitor_port: int) -> dict[str, str]:
        configuration = self.home / "jobfleet.toml"
        configuration.write_text(CONFIGURATION)
        return {
            "REDIS_URL": self._redis.url,
            "DATABASE_URL": self.postgres.url,
            "SMTP_URL": f"smtp://127.0.0.1:{mail_port}?from=orders@shop.example",
            "WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
            "TMPDIR": str(self.home),
            "JOBFLEET_HOME": str(self.home),
            "JOBFLEET_CONFIG": str(configuration),
            "JOBFLEET_LEASE_MS": "5000",
            "JOBFLEET_MONITOR_PORT": str(monitor_port),
        }

    def _process(self, name: str) -> EmbeddedProcess:
        return EmbeddedProcess(self.home, name, stop_signal=signal.SIGTERM, death_signal=signal.SIGKILL)


def _commands() -> dict[str, list[str]]:
    """The command of each process of the fleet."""
    cli = [sys.executable, "-m", "jobfleet.cli"]
    workers = {
        name: [
            *(*cli, "worker", "jobfleet.pictures.jobs", "--threads", str(threads)),
            *(argument for queue in queues for argument in ("--queue", queue)),
        ]
        for name, (queues, threads) in WORKERS.items()
    }
    return {"monitor": [*cli, "monitor"], **workers}
