"""A fleet with a job in each place where one can be, and what becomes of them in the end."""

from __future__ import annotations

from typing import Any

from dramatiq import Message
from scripted_worker import ScriptedWorker
from wide_limits import wide

from jobfleet.broker import FairBroker
from jobfleet.broker.limits import Limits
from jobfleet.broker.policy import KEY_TTL, LIMITED, PROMISED

HOUR_MS = 3_600_000

ONE_AT_ONCE = Limits(plan="one", concurrency=1, per_minute=1_000, weight=1, max_backlog=1_000)
ONE_A_MINUTE = Limits(plan="rated", concurrency=100, per_minute=1, weight=1, max_backlog=1_000)

#: Where the jobs are, by their ids.
PLACES = {
    "suspect": "suspects:alone",
    "dead": "dead:default",
    "active": "active:default",
    "running": "active:default",
    "halted": "halted:default",
    "parked": "line:default:one",
    "waiting": "line:default:acme",
    "next": "line:default:acme",
    "keyed": "line:default:acme",
    "admitted": "line:default:rated",
    "held": "held:rated",
    "scheduled": "scheduled:default",
}


class AuditScene:
    """A namespace with one job in each place; ids say which.

    Parameters:
      broker: of a namespace in which nothing is.
    """

    def __init__(self, broker: FairBroker) -> None:
        self.broker = broker
        broker.limits.publish({"free": wide()}, {"one": ONE_AT_ONCE, "rated": ONE_A_MINUTE}, version=1)
        self._lose_two_workers("suspect")
        self.worker = ScriptedWorker(broker)
        broker.pause_actor("stop")
        self._send("dead", "acme")
        self._send("active", "acme")
        self._send("running", "one")
        self._send("halted", "acme", actor="stop")
        assert len(self.worker.fetch(10)) == 3
        self.worker.fail("dead")
        self._send("parked", "one")
        assert self.worker.fetch(1) == []
        self._send("waiting", "acme")
        self._send("next", "acme")
        self._send("keyed", "acme", options={"idempotency_key": "order:17", KEY_TTL: 60_000})
        for job_id in ("admitted", "held"):
            self._send(job_id, "rated", options={LIMITED: "delay", PROMISED: True})
        broker.enqueue(self._message("scheduled", "acme"), delay=HOUR_MS)
        broker.scripts.call("group", "members", 2, HOUR_MS)
        broker.commands.set(broker.keys.result("over"), b"1", px=HOUR_MS)
        assert self.places() == PLACES

    @property
    def prefix(self) -> str:
        """What all keys begin with."""
        return f"{self.broker.keys.prefix}:"

    def names(self) -> set[str]:
        """Names of all keys, behind the namespace and its colon."""
        start = len(self.prefix)
        return {key.decode()[start:] for key in self.broker.client.scan_iter(match=f"{self.prefix}*", count=1_000)}

    def places(self) -> dict[str, str]:
        """Where each job stands: the last place found, of several."""
        kinds = {place.partition(":")[0] for place in PLACES.values()}
        found = {}
        for name in self.names():
            kind, colon, _ = name.partition(":")
            if colon and kind in kinds:
                found.update(
                    {m.decode(): name for m, _ in self.broker.commands.zscan_iter(self.prefix + name, count=50)}
                )
        return found

    def finish(self) -> set[str]:
        """Let every job run to its end, whatever stops it now; returns which did."""
        broker = self.broker
        ran = {job_id for job_id in tuple(self.worker.held) if job_id != "dead" and self.worker.complete(job_id) == 0}
        broker.limits.publish({"free": wide()}, {"one": wide(), "rated": wide()}, version=2)
        broker.resume_actor("stop")
        broker.run_now("scheduled")
        broker.dead_letters.replay(["dead"])
        broker.upkeep()
        worker = ScriptedWorker(broker, queues=("default", "alone"))
        for queue in ("default", "alone") * 5:
            for row in worker.fetch(20, queue=queue):
                assert worker.complete(row[0]) == 0
                ran.add(row[0])
        return ran

    def _lose_two_workers(self, job_id: str) -> None:
        self.broker.enqueue(self._message(job_id, "acme", queue="alone"))
        for _ in range(2):
            worker = ScriptedWorker(self.broker, queues=("alone",))
            assert [row[0] for row in worker.fetch(queue="alone")] == [job_id]
            self.broker.scripts.call("bury_worker", worker.worker)

    def _send(self, job_id: str, tenant: str, *, actor: str = "act", options: dict[str, Any] | None = None) -> None:
        self.broker.enqueue(self._message(job_id, tenant, actor=actor, options=options))

    @staticmethod
    def _message(
        job_id: str, tenant: str, *, actor: str = "act", queue: str = "default", options: dict[str, Any] | None = None
    ) -> Message[Any]:
        return Message(queue, actor, (), {"tenant_id": tenant}, options or {}, job_id)
