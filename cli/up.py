"""``jobfleet up``: a whole fleet on one machine.

1. Servers that no setting names are started; all that follow find them through the environment.
2. The tables are brought up to date.
3. One child runs the workers of all queues, one the monitor. What dies is started again; what cannot even start is
   given up, and the fleet with it (exit code 1), as when one of our servers dies.
4. The first SIGINT or SIGTERM stops the workers, then the monitor (which records until then; the rest at
   the next start), then the servers; the second ends the children at once.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from ..broker.settings import settings
from ..deploy.migrate import migrate
from .check_settings import without_password
from .child import Child
from .embedded import embedded_servers
from .embedded_addresses import EmbeddedAddresses
from .tables import say
from .worker_checks import declared_queues

#: Seconds between two looks at the children.
LOOK_SECONDS = 0.25
#: Seconds before a child that died is started again.
RESTART_SECONDS = 1.0
#: Early deaths in a row after which a child is given up.
GIVE_UP = 3


class Fleet:
    """The children of ``jobfleet up``.

    Parameters:
      worker, monitor: not yet started.
      home: where the servers' logs are.
    """

    def __init__(self, worker: Child, monitor: Child, home: Path) -> None:
        self._home = home
        self._worker = worker
        self._monitor = monitor
        self._signals = 0
        self._signalled = threading.Event()

    def run(self) -> int:
        """Run until a signal; returns the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            for child in (self._monitor, self._worker):
                child.start()
            while not self._signalled.wait(LOOK_SECONDS):
                if self._server_ended() or not all(self._keep(child) for child in (self._monitor, self._worker)):
                    self._stop()
                    return 1
            say("up      | stopping: running jobs finish first, Ctrl-C again ends them at once")
            return self._stop()
        finally:
            self._monitor.kill()
            self._worker.kill()

    def _on_signal(self, *_: object) -> None:
        self._signals += 1
        self._signalled.set()

    def _server_ended(self) -> bool:
        """Whether a child has died that is neither worker nor monitor: a server of ours, which we cannot do without."""
        if not hasattr(os, "waitid"):
            return False
        # Only looks; whoever started the server learns of its end as well.
        dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if dead is None or dead.si_pid in (self._worker.pid, self._monitor.pid):
            return False
        say(f"up      | a server of this fleet (process {dead.si_pid}) has ended, stopping; its log is in {self._home}")
        return True

    def _keep(self, child: Child) -> bool:
        """Start a child again that died; False when that is pointless."""
        status = child.died()
        if status is None:
            return True
        if child.early_deaths >= GIVE_UP:
            say(f"up      | {child.name} died with exit code {status} again, giving up")
            return False
        say(f"up      | {child.name} died with exit code {status}, starting it again")
        if not self._signalled.wait(RESTART_SECONDS):
            child.start()
        return True

    def _stop(self) -> int:
        already = self._signals
        for child in (self._worker, self._monitor):
            child.stop()
            while not child.ended():
                if self._signals > max(1, already):
                    child.kill()
                time.sleep(0.05)
        return 1 if self._signals > 1 else 0


def run_fleet(modules: Sequence[str], processes: int, threads: int) -> int:
    """Run a fleet until a signal; returns the exit code.

    Raises:
      ConfigurationError: a module cannot be imported, a fleet already runs here, or a server cannot be started.
      Unavailable: a database that was named is away.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    queues = declared_queues(modules)
    try:
        with embedded_servers(settings().jobfleet_home) as addresses:
            for name in migrate(settings().database_direct_url or addresses.database_url):
                say(f"up      | applied {name}")
            _greet(addresses, queues)
            return _fleet(addresses, modules, processes, threads).run()
    except KeyboardInterrupt:
        return 0


def _fleet(addresses: EmbeddedAddresses, modules: Sequence[str], processes: int, threads: int) -> Fleet:
    environment = {**os.environ, "REDIS_URL": addresses.redis_url, "DATABASE_URL": addresses.database_url}
    arguments = ["worker", *modules, "--processes", str(processes), "--threads", str(threads)]
    worker = Child("worker", arguments, environment, say)
    return Fleet(worker, Child("monitor", ["monitor"], environment, say), settings().jobfleet_home)


def _greet(addresses: EmbeddedAddresses, queues: Sequence[str]) -> None:
    say(f"up      | queues      {', '.join(queues)}")
    say(f"up      | Redis       {without_password(addresses.redis_url)}")
    say(f"up      | PostgreSQL  {without_password(addresses.database_url)}")
    say("up      | to send a job, from this folder or with these two as REDIS_URL and DATABASE_URL:")
    say("up      |   from jobfleet.actors import send_email")
    say('up      |   send_email.send(tenant_id=42, to="ada@example.com", subject="Hello", body="It runs.")')
    if settings().smtp_url is None:
        say("up      | SMTP_URL is not set: emails will fail until it is")
    say("up      | to look at it: jobfleet queues, jobfleet jobs follow, jobfleet dead list; Ctrl-C stops it")
