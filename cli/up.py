"""``jobfleet up``: a whole fleet on one machine.

1. Servers that no setting names are started; all that follow find them through the environment.
2. The tables are brought up to date.
3. Children run the workers of all queues and the monitor; ``supervisor`` watches over them. When one of our servers
   dies the fleet ends with it (exit code 1).
4. With ``watch``, Prometheus and Alertmanager are such servers, too.
5. The first SIGINT or SIGTERM stops the workers, then the monitor (which records until then; the rest at
   the next start), then the servers; the second ends the children at once.
"""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from ..broker.settings import settings
from ..deploy.migrate import migrate
from .check_settings import without_password
from .child import Child
from .embedded import embedded_servers
from .embedded_addresses import EmbeddedAddresses
from .embedded_watch import EmbeddedWatch, refuse_missing_programs
from .process_log import ProcessLog
from .supervisor import Supervisor
from .worker_checks import declared_queues
from .worker_children import worker_children

#: What says the admin's token where it is set.
ADMIN_TOKEN = "printenv JOBFLEET_ADMIN_TOKEN"


def run_fleet(modules: Sequence[str], processes: int, threads: int, log: ProcessLog, *, watch: bool = False) -> int:
    """Run a fleet until a signal; returns the exit code.

    Raises:
      ConfigurationError: a module cannot be imported, a fleet already runs here, a server cannot be started, or what
        is to watch is not installed.
      Unavailable: a database that was named is away.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if watch:
        refuse_missing_programs()
    queues = declared_queues(modules)
    say = partial(log.say_for, "up")
    try:
        with ExitStack() as stack:
            addresses = stack.enter_context(embedded_servers(settings().jobfleet_home))
            for name in migrate(settings().database_direct_url or addresses.database_url):
                say(f"applied {name}")
            _greet(addresses, queues, say)
            environment = {**log.environment, "REDIS_URL": addresses.redis_url, "DATABASE_URL": addresses.database_url}
            if watch:
                watching = stack.enter_context(EmbeddedWatch(settings().jobfleet_home))
                environment |= watching.environment
                _tell_of(watching, say)
            say("to look at it: jobfleet queues, jobfleet jobs follow, jobfleet dead list; Ctrl-C stops it")
            return _supervisor(environment, modules, queues, processes, threads, log).run()
    except KeyboardInterrupt:
        return 0


def _supervisor(
    environment: Mapping[str, str],
    modules: Sequence[str],
    queues: Sequence[str],
    processes: int,
    threads: int,
    log: ProcessLog,
) -> Supervisor:
    # Killed with us, not asked to end in good order: our servers are gone then, they would wait for them in vain.
    death = signal.SIGKILL
    workers = worker_children(
        modules,
        queues,
        processes=processes,
        threads=threads,
        environment=environment,
        death_signal=death,
        say=log.say_for,
    )
    monitor = Child("monitor", ["jobfleet.cli", "monitor"], environment, death_signal=death, say=log.say_for)
    say = partial(log.say_for, "up")
    supervisor = Supervisor([workers, [monitor]], say, lambda: _ended_server(supervisor.pids))
    return supervisor


def _ended_server(children: Container[int]) -> str | None:
    """What to say when a child has died that is none of the fleet's: a server of ours, which we cannot do without."""
    if not hasattr(os, "waitid"):
        return None
    # Only looks; whoever started the server learns of its end as well.
    dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if dead is None or dead.si_pid in children:
        return None
    home = settings().jobfleet_home
    return f"a server of this fleet (process {dead.si_pid}) has ended, stopping; its log is in {home}"


def _greet(addresses: EmbeddedAddresses, queues: Sequence[str], say: Callable[[str], None]) -> None:
    say(f"queues      {', '.join(queues)}")
    say(f"Redis       {without_password(addresses.redis_url)}")
    say(f"PostgreSQL  {without_password(addresses.database_url)}")
    say("to send a job, from this folder or with these two as REDIS_URL and DATABASE_URL:")
    say("  from jobfleet.actors import send_email")
    say('  send_email.send(tenant_id=42, to="ada@example.com", subject="Hello", body="It runs.")')
    if settings().smtp_url is None:
        say("SMTP_URL is not set: emails will fail until it is")


def _tell_of(watching: EmbeddedWatch, say: Callable[[str], None]) -> None:
    say(f"Prometheus    {watching.prometheus.url}/alerts")
    say(f"Alertmanager  {watching.alertmanager.url}")
    say(f"monitor       {watching.monitor_url}/metrics; what fires is kept at /admin/alerts:")
    token = f"cat {shlex.quote(str(watching.admin_token_file))}" if watching.admin_token_file else ADMIN_TOKEN
    say(f'  curl -H "Authorization: Bearer $({token})" {watching.monitor_url}/admin/alerts')
