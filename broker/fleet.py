"""One namespace on one Redis server: what there is to ask of it and to do to it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import cast

import redis

from .archive import Archive
from .audit import AuditReport
from .auditor import Auditor
from .commands import Commands
from .connection import connect, reachable
from .dead_letters import DeadLetters
from .job_state import JobState, find_job
from .journal import Journal
from .keys import Keys
from .limits import LimitTable
from .memory import Memory
from .scripts import Scripts
from .settings import settings
from .stats import QueueStats, read_stats


class Fleet:
    """The fleet's data and the questions about it. Nothing is connected before the first of them.

    Parameters:
      url: address of the Redis server; ``REDIS_URL`` if None.
      client: a client to use instead of `url`.
      namespace: what all keys begin with, in braces; the configured one if None.
    """

    def __init__(self, url: str | None, client: redis.Redis | None, namespace: str | None) -> None:
        self._url = url
        self._client = client
        self._namespace = namespace
        #: Reads what has left Redis for PostgreSQL; set by who has a database.
        self.archive: Archive | None = None

    @cached_property
    def client(self) -> redis.Redis:
        """The Redis client."""
        return self._client or connect(self._url)

    @property
    def commands(self) -> Commands:
        """The client, by the few commands that we send ourselves."""
        return cast("Commands", self.client)

    @cached_property
    def keys(self) -> Keys:
        """Names of the namespace's keys."""
        return Keys(self._namespace or settings().jobfleet_namespace)

    @cached_property
    def scripts(self) -> Scripts:
        """The Lua scripts of this namespace."""
        return Scripts(self.commands, self.keys.prefix)

    @cached_property
    def memory(self) -> Memory:
        """How full the server is."""
        return Memory(self.commands)

    @cached_property
    def journal(self) -> Journal:
        """What happened, for the recorder."""
        return Journal(self.commands, self.keys, self.scripts)

    @cached_property
    def dead_letters(self) -> DeadLetters:
        """Jobs that failed for good."""
        return DeadLetters(self.commands, self.keys, self.scripts, lambda: self.archive)

    @cached_property
    def limits(self) -> LimitTable:
        """What tenants may do."""
        return LimitTable(self.commands, self.keys, self.scripts)

    def stats(self, queues: Sequence[str] = ()) -> list[QueueStats]:
        """Counts of the given queues, or of all known ones, at one moment."""
        with reachable(self.client):
            return read_stats(self.commands, self.keys, self.scripts, queues)

    def get(self, job_id: str) -> JobState | None:
        """Where a job is and how far; from the job log when Redis has forgotten it."""
        with reachable(self.client):
            return find_job(self.scripts, job_id) or (self.archive.job(job_id) if self.archive else None)

    def upkeep(self) -> None:
        """One round for the whole fleet: promote due jobs, take back lost workers' jobs, wake workers, judge memory."""
        with reachable(self.client):
            percent = self.memory.percent()
            self.scripts.call("upkeep", *(() if percent is None else (percent,)))

    def audit(self, *, repair: bool = False, rest: float = 0.0) -> AuditReport:
        """Walk the keys and prove that no job is lost or in two places and that counts are true.

        Parameters:
          repair: mend what is found, and look again. A job that stands nowhere runs again.
          rest: seconds to pause for each second of looking, so that others have the server and the process meanwhile.
        """
        with reachable(self.client):
            auditor = Auditor(self.commands, self.keys, self.scripts, self.archive, rest)
            return auditor.repair() if repair else auditor.audit()
