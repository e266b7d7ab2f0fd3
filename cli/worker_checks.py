"""What is looked at before a worker starts, so that a mistake is one sentence and not a worker that idles."""

from __future__ import annotations

import importlib
import multiprocessing
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection

from dramatiq import Broker, get_broker

from ..broker import FairBroker
from ..broker.connection import reachable
from ..broker.errors import ConfigurationError, Unavailable
from ..broker.settings import settings
from ..deploy.migrate import pending
from .fleet_context import refuse_unknown_queue
from .ready_mark import OWN_ACTORS
from .tables import note


def queues_to_serve(modules: Sequence[str], chosen: Sequence[str]) -> list[str]:
    """The queues that the worker will serve.

    Parameters:
      modules: the application's modules, which declare actors.
      chosen: what was asked for; nothing means all that have an actor.

    Raises:
      ConfigurationError: a module cannot be imported, or a queue is unknown or has no actor.
    """
    declared = declared_queues(modules)
    known = list(dict.fromkeys([*settings().queues, *declared]))
    for name in chosen:
        refuse_unknown_queue(name, known)
        if name not in declared:
            raise ConfigurationError(
                f"no actor works on queue {name}: name the module that declares one (jobfleet worker MODULE -Q {name}); "
                f"there are actors for {', '.join(declared)}"
            )
    return list(chosen) or declared


def declared_queues(modules: Sequence[str]) -> list[str]:
    """The queues of all actors, found by importing the modules in a process that ends then.

    What an application opens while it is imported must not be inherited by the worker's processes.

    Raises:
      ConfigurationError: a module cannot be imported, or has a broker of its own.
    """
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_declare, args=(tuple(modules), theirs))
    process.start()
    theirs.close()
    found: list[str] | str = f"{', '.join(modules) or OWN_ACTORS} cannot be imported: its process ended"
    with suppress(EOFError):
        found = ours.recv()
    process.join()
    if isinstance(found, str):
        raise ConfigurationError(found)
    return found


def _declare(modules: Sequence[str], answer: Connection) -> None:
    sys.path.insert(0, ".")
    broker: Broker | None = None
    for name in (OWN_ACTORS, *modules):
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 (whatever a module raises, it is told in one sentence)
            answer.send(f"module {name} cannot be imported: {type(error).__name__}: {error}")
            return
        broker = broker or get_broker()
        if get_broker() is not broker:
            answer.send(f"module {name} sets a broker of its own: run its workers with `dramatiq {name}`")
            return
    assert broker is not None
    answer.send(sorted(broker.get_declared_queues()))


def check_servers() -> str:
    """See that Redis answers and that the tables are there; returns Redis's address.

    A database that is away is no reason not to start: jobs that need it are put off.

    Raises:
      ConfigurationError: no Redis server is named, or a migration is missing.
      dramatiq.errors.ConnectionClosed: Redis is away.
    """
    from ..broker.connection import describe

    broker = FairBroker(middleware=[])
    with reachable(broker.client):
        broker.client.ping()
    address = describe(broker.client)
    broker.close()
    try:
        refuse_missing_migrations()
    except Unavailable as error:
        note(f"jobfleet: {error}; jobs that need it are put off")
    return address


def refuse_missing_migrations() -> None:
    """Do nothing when the tables are those of this version, or when there is no database.

    Raises:
      ConfigurationError: some are missing.
      Unavailable: the database is away.
    """
    url = settings().database_direct_url or settings().database_url
    if url and (missing := pending(url)):
        raise ConfigurationError(f"the database lacks {', '.join(missing)}: run `jobfleet migrate`")
