"""Interrupting a run in its thread."""

from __future__ import annotations

from dramatiq.middleware import Interrupt
from dramatiq.threading import raise_thread_exception

from .lease import Lease


def interrupt(lease: Lease, reason: type[Interrupt]) -> None:
    """Raise `reason` in the thread of a run, once it executes Python again; nothing if it is not running.

    The interrupt reaches the actor's own code only: a run whose hooks have begun is over.
    """
    thread = lease.thread
    if thread is None or thread.ident is None or lease.finished or lease.in_hooks or not thread.is_alive():
        return
    raise_thread_exception(thread.ident, reason)
