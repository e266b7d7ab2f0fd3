"""The real fleet beside the model: its clock, its workers, and what its keys hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

import redis
from model import Item
from model_job import Job
from scripted_worker import ScriptedWorker

from jobfleet.broker import FairBroker
from jobfleet.broker.scripts import Scripts, pack, unpack

#: Far beyond TIME, so that the fleet's clock stands still until a test moves it.
DAY_MS = 86_400_000

Call = tuple[str, tuple[Any, ...]]


class RecordedScripts(Scripts):
    """Scripts that remember what they were told."""

    def __init__(self, client: Any, prefix: str) -> None:
        super().__init__(client, prefix)
        self.calls: list[Call] = []

    def call(self, name: str, *args: bytes | str | int) -> Any:
        self.calls.append((name, args))
        return super().call(name, *args)


class RecordedBroker(FairBroker):
    """A broker whose calls can be made once more, however late."""

    @cached_property
    def scripts(self) -> RecordedScripts:
        return RecordedScripts(self.client, self.keys.prefix)


class Clock:
    """The fleet's clock, in the hands of a test.

    The broker's time never runs back: ``now = max(TIME, last seen)``. So a last moment in the far
    future is what it goes by, until a lease of real time has passed: a test is over long before.
    """

    def __init__(self, client: redis.Redis, prefix: str, lease_ms: int) -> None:
        self._client, self._key = client, f"{prefix}:fleet"
        seconds, _ = client.time()
        self.now = int(seconds) * 1000 + DAY_MS
        client.hset(self._key, mapping={"last": self.now, "lease": lease_ms})

    def advance(self, ms: int) -> None:
        """Let time pass."""
        self.now += ms
        self._client.hset(self._key, "last", self.now)

    def grace(self, until: int) -> None:
        """What a script writes that finds that none ran for longer than a heartbeat."""
        self._client.hset(self._key, "grace", until)


class ModelWorker(ScriptedWorker):
    """A scripted worker of several queues, with a name of its own, that settles in batches."""

    def __init__(
        self, broker: FairBroker, name: str, lease_ms: int, queues: tuple[str, ...], machine: str = ""
    ) -> None:
        self.scripts = broker.scripts
        self.worker, self.queues = name, queues
        self.number = self.batch = self.last_next_ms = 0
        self.held: dict[str, int] = {}
        self.messages: dict[str, bytes] = {}
        self.status = "ok"
        self.request = b""
        self.scripts.call("register", pack([name, lease_ms, ["host", "test"], queues, [], machine]))

    def fetch_from(self, queues: Sequence[str], most: int, *, repeat: bool = False) -> list[str]:
        """Fetch from several queues, or make the last fetch again; returns ids."""
        if not repeat:
            self.number += 1
            wants = [[queue, most, 0, 30_000] for queue in queues]
            self.request = pack([self.worker, self.number, most, wants])
        answer = self.scripts.call("fetch", self.request)
        self.status, self.last_next_ms, rows = unpack(answer[0])
        for row, message in zip(rows, answer[1:], strict=True):
            self.held[row[0]] = self.number
            self.messages[row[0]] = message
        return [row[0] for row in rows]

    def settle_all(self, items: Sequence[Item], jobs: Mapping[str, Job] = MappingProxyType({})) -> int:
        """Settle a batch of runs of `jobs`, with the groups whose members they are and what the completed ones sent."""
        self.batch += 1
        rows, messages = [], []
        for job_id, number, kind, ran, delay in items:
            messages.append(self.messages[job_id])
            row = [self.worker, job_id, number, kind, ran, _detail(kind, len(messages), delay)]
            if kind not in ("started", "progress") and (job := jobs.get(job_id)):
                sends = [_send(each, len(messages)) for each in job.then]
                if job.group:
                    row += [[], [job.group, 600_000, sends]]
                elif kind == "completed":
                    row += [sends, []]
            rows.append(row)
        stale: int = self.scripts.call("settle", pack([self.worker, self.batch, rows]), *messages)
        for job_id, number, kind, *_ in items:
            if kind not in ("started", "progress") and self.held.get(job_id) == number:
                del self.held[job_id]
        return stale


def _send(job: Job, index: int) -> list[Any]:
    return [index, job.job_id, job.queue, job.tenant, job.actor, job.priority, 0, "", ""]


def _detail(kind: str, index: int, delay: int) -> list[Any]:
    details: dict[str, list[Any]] = {
        "completed": ["", "", 0],
        "skipped": ["", "", 0],
        "progress": [0.5, "half"],
        "retry": [index, delay, "RuntimeError: broken", "a traceback"],
        "failed": [index, "RuntimeError: broken", "RuntimeError", "a traceback", "exhausted", "", "", 0],
        "released": ["shut down"],
        "postponed": [index, delay, "Unavailable: away"],
    }
    return details.get(kind, [])


def everything(client: Any, prefix: str) -> dict[str, Any]:
    """All keys of a namespace with what they hold, without the clock."""
    keys = sorted(client.scan_iter(match=f"{prefix}:*", count=10_000))
    types, values = client.pipeline(transaction=False), client.pipeline(transaction=False)
    for key in keys:
        types.type(key)
    reads: dict[bytes, Callable[[bytes], Any]] = {
        b"hash": values.hgetall,
        b"zset": lambda key: values.zrange(key, 0, -1, withscores=True),
        b"set": values.smembers,
        b"list": lambda key: values.lrange(key, 0, -1),
        b"stream": values.xrange,
        b"string": values.get,
    }
    for key, kind in zip(keys, types.execute(), strict=True):
        reads[kind](key)
    found = {key.decode().removeprefix(f"{prefix}:"): held for key, held in zip(keys, values.execute(), strict=True)}
    for field in (b"last", b"behind"):
        found.get("fleet", {}).pop(field, None)
    return found
