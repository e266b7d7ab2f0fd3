"""A job that this process holds, from the fetch to the settle."""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from .job import Job

#: A message ready to be sent, as ``lua/door.lua`` takes it: id, queue, tenant, actor, priority,
#: delay in ms, policy (see ``policy``), encoded message.
Admitted = tuple[str, str, str, str, int, int, bytes, bytes]


@dataclass(slots=True, eq=False)
class Lease:
    """One run of a job. With the worker and the fetch number it is the token that settle checks."""

    job: Job
    worker: str
    number: int
    message: bytes
    #: It must run alone in this process: it may be what killed its workers.
    alone: bool = False
    #: The server's time of its fetch, ms since the epoch, and time.monotonic() when that was answered.
    fetched_ms: int = 0
    fetched: float = 0.0
    #: time.monotonic() of the run's start, 0 before it.
    started: float = 0.0
    #: The options of the message that runs.
    options: dict[str, Any] = field(default_factory=dict)
    #: The thread that runs it.
    thread: threading.Thread | None = None
    #: The started event has been written.
    announced: bool = False
    #: The run is over and its thread free.
    finished: bool = False
    #: Its outcome is on the way; later ones do not count.
    handed_over: bool = False
    #: Others ended the job (as stuck, say) while this run goes on: what it still sends as its own is dropped.
    taken_away: bool = False
    #: The run was passed over by a hook that raised SkipMessage.
    skipped: bool = False
    #: Why a failure is final, in one word, where a hook knows.
    reason: str = ""
    #: What went wrong, where no exception says it.
    error: str = ""
    #: The next run, enqueued by the run's own thread: message and delay in ms.
    next_run: tuple[bytes, int] | None = None
    #: Run again later without an attempt used: delay in ms and why.
    postponed: tuple[int, str] | None = None
    #: Back to the front without an attempt used: why.
    released: str = ""
    #: The result as JSON, the key that keeps it and for how many ms.
    result: tuple[str, str, int] = ("", "", 0)
    #: The middleware's hooks run after the actor: what they send belongs to the settle.
    in_hooks: bool = False
    #: What the hooks sent: what to enqueue, and an error text where it becomes a dead letter at once.
    sends: list[tuple[Admitted, str]] = field(default_factory=list)
    #: The group that the run completes a member of: its name, ms to remember it, and what `sends` has where
    #: this run brings the completion callbacks.
    group: tuple[str, int, list[tuple[Admitted, str]]] | None = None
    #: What the run did and could not write into its database: records for the recorder, as JSON.
    effects: tuple[str, ...] = ()

    def server_ms(self) -> float:
        """What time it is by the server, ms since the epoch; this machine's clock may be wrong."""
        return self.fetched_ms + (time.monotonic() - self.fetched) * 1000


_current: ContextVar[Lease | None] = ContextVar("jobfleet_lease", default=None)


def current_lease() -> Lease | None:
    """The lease whose run this code belongs to, also inside an async actor."""
    return _current.get()


def set_current_lease(lease: Lease | None) -> Any:
    """Say which run this thread works for."""
    return _current.set(lease)


def current_job() -> Job | None:
    """The job that this code runs for, None outside of a run."""
    lease = _current.get()
    return lease.job if lease else None
