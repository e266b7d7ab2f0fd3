"""What tenants may do, in the form in which the scripts read it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from .commands import Commands
from .job import SYSTEM
from .keys import Keys
from .plans import FREE
from .scripts import Scripts, pack, unpack

#: Tenants that one script call takes over.
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Limits:
    """What one tenant may do: its plan's numbers, or its own where it has some."""

    plan: str
    #: Jobs that may run at once, over all queues and workers.
    concurrency: int
    #: Jobs admitted in any 60 seconds.
    per_minute: int
    #: Share in the fair order between tenants that wait.
    weight: int
    #: Jobs that may be unfinished.
    max_backlog: int
    #: None of its jobs may start.
    paused: bool = False

    def row(self) -> list[str | int]:
        """As ``lua/limits.lua`` reads it."""
        return [self.plan, self.concurrency, self.per_minute, self.weight, self.max_backlog, int(self.paused)]


class LimitTable:
    """The limits that hold in one namespace. With no plans nothing is limited."""

    def __init__(self, commands: Commands, keys: Keys, scripts: Scripts) -> None:
        self._commands = commands
        self._keys = keys
        self._scripts = scripts

    def is_empty(self) -> bool:
        """Redis knows no plans, or not of which version they are: nobody has published any, or data are gone.

        A repair that took something out of them forgets the version, so that they are published again.

        Raises:
          redis.RedisError: the server is away.
        """
        return not (self._commands.exists(self._keys.plans) and self._commands.hexists(self._keys.fleet, "limits"))

    def plans_of(self, tenants: Collection[str]) -> dict[str, str]:
        """The plan of each tenant: ``free`` for one that is not named, none for the system's own line.

        Raises:
          redis.RedisError: the server is away.
        """
        asked = [tenant for tenant in tenants if tenant not in ("", SYSTEM)]
        rows = self._commands.hmget(self._keys.tenants, asked) if asked else ()
        known = {tenant: unpack(row)[0] if row else FREE for tenant, row in zip(asked, rows, strict=True)}
        return {tenant: known.get(tenant, "") for tenant in tenants}

    def version(self) -> int:
        """Of what was published last, 0 where nothing was.

        Raises:
          redis.RedisError: the server is away.
        """
        return int(self._commands.hget(self._keys.fleet, "limits") or 0)

    def publish(
        self,
        plans: Mapping[str, Limits],
        tenants: Mapping[str, Limits],
        *,
        version: int,
        whole: bool = False,
        gone: Collection[str] = (),
    ) -> bool:
        """Make limits hold, for jobs that wait as for those to come. Repeats change nothing.

        Parameters:
          plans: limits by plan; tenants that are not named have those of ``free``.
          tenants: limits of tenants.
          version: grows with each change of the truth; what is older than the last one published is not taken.
          whole: tenants that are not given have no limits of their own any more.
          gone: tenants that have none any more, where it is not the whole.

        Returns:
          Whether it was taken.

        Raises:
          redis.RedisError: the server is away.
        """
        left = [name for name in self._named() if name not in tenants] if whole else list(gone)
        rows: list[Sequence[str | int]] = [[name, *limits.row()] for name, limits in tenants.items()]
        plan_rows = [[name, *limits.row()[1:5]] for name, limits in plans.items()]
        given, taken = iter(rows), True
        while True:
            chunk, leaving = list(islice(given, CHUNK)), left[:CHUNK]
            left = left[CHUNK:]
            if not (plan_rows or chunk or leaving):
                return taken
            taken = self._scripts.call("set_limits", pack([version, plan_rows, chunk, leaving])) == 1
            plan_rows = []

    def _named(self) -> list[str]:
        return [field.decode() for field, _ in self._commands.hscan_iter(self._keys.tenants, count=CHUNK)]
