"""How a process of ours tells the one that watches over it that it has started: it writes one byte into a pipe.

The watcher must know "could not start" from "works, and was killed by a job a moment later": the first is given up
after some tries, the second never. What a process prints cannot tell, since an application may log as it likes.
"""

from __future__ import annotations

import importlib
import os
from contextlib import suppress

from dramatiq import Broker, Middleware, Worker, get_broker

from ..middleware.logs import configure_logging

#: Holds the pipe's number in the environment of a process that is watched over.
VARIABLE = "JOBFLEET_READY_PIPE"
#: The module whose actors every worker has.
OWN_ACTORS = "jobfleet.actors"


def mark_ready() -> None:
    """Tell whoever watches over this process that it works; does nothing when nobody does."""
    pipe = os.environ.pop(VARIABLE, None)
    if pipe is None:
        return
    # A watcher that is gone needs to know no more.
    with suppress(OSError):
        os.write(int(pipe), b"1")
    with suppress(OSError):
        os.close(int(pipe))


class ReadyMark(Middleware):
    """Middleware that tells whoever watches over a worker process that its threads have started."""

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Called once, when all threads of the worker run."""
        mark_ready()


def marked_broker() -> None:
    """Make the fleet's broker the one that Dramatiq's command finds, with the mark in its middleware."""
    # Where processes are not forked, this one has only what Dramatiq has set up.
    configure_logging()
    importlib.import_module(OWN_ACTORS)
    get_broker().add_middleware(ReadyMark())
