"""A worker that does only what a test says: it drives the very scripts that real workers run."""

from __future__ import annotations

import uuid
from typing import Any

from jobfleet.broker import FairBroker
from jobfleet.broker.scripts import pack, unpack


class ScriptedWorker:
    """One worker of a namespace, without threads, heartbeats or timing of its own."""

    def __init__(self, broker: FairBroker, *, lease_ms: int = 60_000, queues: tuple[str, ...] = ("default",)) -> None:
        self.scripts = broker.scripts
        self.worker = f"scripted:{uuid.uuid4().hex[:8]}"
        self.queues = queues
        self.number = 0
        self.batch = 0
        self.held: dict[str, int] = {}
        self.messages: dict[str, bytes] = {}
        self.last_next_ms = 0
        self.status = "ok"
        self.scripts.call("register", pack([self.worker, lease_ms, ["host", "test"], queues, [], ""]))

    def fetch(
        self, most: int = 1, *, queue: str = "default", rate: int = 0, objective: int = 30_000, repeat: bool = False
    ) -> list[list[Any]]:
        """Fetch up to `most` jobs; ``repeat`` sends the last request again, as after a lost reply.

        Parameters:
          objective: milliseconds beyond which a start is late.

        Returns:
          A row for each: id, queue, tenant, actor, attempt, losses, waited ms.
        """
        if not repeat:
            self.number += 1
        answer = self.scripts.call("fetch", pack([self.worker, self.number, most, [[queue, most, rate, objective]]]))
        status, self.last_next_ms, jobs = unpack(answer[0])
        if status == "gone":
            raise LookupError(status)
        for row, message in zip(jobs, answer[1:], strict=True):
            self.held[row[0]] = self.number
            self.messages[row[0]] = message
        self.status = status
        return [row[:7] for row in jobs]

    def settle(
        self,
        job_id: str,
        kind: str,
        detail: list[Any] | None = None,
        message: bytes | None = None,
        *,
        again: bool = False,
        ran_ms: int = 1,
        sends: list[list[Any]] | None = None,
        group: list[Any] | None = None,
    ) -> int:
        """Settle one job; ``again`` sends the last batch's number once more.

        Parameters:
          sends, group: what hooks sent, see ``broker/lua/settle.lua``; message index 1 is the job's own.

        Returns:
          The number of items that came too late.
        """
        if not again:
            self.batch += 1
        body = message if message is not None else self.messages[job_id]
        item = [self.worker, job_id, self.held[job_id], kind, ran_ms, detail or [], sends or [], group or []]
        stale: int = self.scripts.call("settle", pack([self.worker, self.batch, [item]]), body)
        return stale

    def complete(self, job_id: str) -> int:
        """Settle a job as completed."""
        return self.settle(job_id, "completed", ["", "", 0])

    def fail(self, job_id: str, error: str = "RuntimeError: broken") -> int:
        """Settle a job as failed for good."""
        return self.settle(job_id, "failed", [1, error, "RuntimeError", "a traceback", "exhausted", "", "", 0])

    def retry(self, job_id: str, delay_ms: int) -> int:
        """Settle a job's attempt as failed, to run again after a delay."""
        return self.settle(job_id, "retry", [1, delay_ms, "RuntimeError: broken", "a traceback"])

    def postpone(self, job_id: str, delay_ms: int) -> int:
        """Settle a job's run as none, because something was away, to run again after a delay."""
        return self.settle(job_id, "postponed", [1, delay_ms, "Unavailable: the mail server is away"])

    def beat(self, *, names: dict[str, int] | None = None, received: int | None = None) -> list[bytes]:
        """Send a heartbeat that vouches for `names`, by default for all that is held."""
        vouched = self.held if names is None else names
        held = [part for pair in vouched.items() for part in pair]
        latest = self.number if received is None else received
        answer: list[bytes] = self.scripts.call("heartbeat", pack([self.worker, latest, held, [], self.queues]))
        return answer
