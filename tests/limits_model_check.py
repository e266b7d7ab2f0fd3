"""Model and fleet compared, after each step."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from limits_model import UNFINISHED, LimitsModel
from model_fleet import everything

from jobfleet.broker import FairBroker
from jobfleet.broker.scripts import unpack

#: Ms by which a time to live may be shorter than it was given: the real time that an example may take. What the
#: examples use are multiples of it.
REAL_MS = 10_000

#: Where a job stands in Redis -> its state.
PLACES = {"suspects": "waiting", "line": "waiting", "scheduled": "scheduled", "active": "active", "dead": "dead"}


class LimitsCheck:
    """Compares one namespace with the model of it."""

    def __init__(self, broker: FairBroker, model: LimitsModel, queues: tuple[str, ...]) -> None:
        self.broker, self.model, self.queues = broker, model, queues
        self.prefix = broker.keys.prefix
        #: Every key of the namespace, as it is after this step.
        self.keys: dict[str, Any] = {}
        #: String of a key -> when it will be forgotten, by the fleet's clock.
        self.forgotten: dict[str, int] = {}

    def all(self) -> None:
        """Everything that must hold after each step."""
        self.keys = everything(self.broker.client, self.prefix)
        self.places()
        self.counts()
        self.idempotency_keys()
        self.wakes()
        report = self.broker.audit()
        assert report.clean, str(report)

    def traces(self) -> dict[str, Any]:
        """What a refused send must leave as it is: everything but the counters and the clock."""
        found = everything(self.broker.client, self.prefix)
        found.pop("metrics", None)
        return found

    def places(self) -> None:
        """Each job is where the model has it, and what is held is in order."""
        found: defaultdict[str, str] = defaultdict(str)
        for key, members in self.keys.items():
            kind, colon, name = key.partition(":")
            if kind == "held" and colon:
                held = [job_id.decode() for job_id, _ in members]
                assert held == [job.job_id for job in self.model.held[name]]
                found.update(dict.fromkeys(held, "held"))
            elif state := PLACES.get(kind):
                found.update({job_id.decode(): state for job_id, _ in members})
        assert found == {job.job_id: job.state for job in self.model.those(*UNFINISHED, "dead")}

    def counts(self) -> None:
        """Slots, backlogs and the last admissions are what the model counts."""
        unfinished = Counter(job.tenant for job in self.model.those(*UNFINISHED))
        running = Counter(job.tenant for job in self.model.those("active"))
        assert self.numbers("backlog") == unfinished
        assert self.numbers("running") == running
        for tenant, admitted in self.model.admitted.items():
            kept = [int(moment) for moment in self.keys.get(f"times:{tenant}", [])]
            last = admitted[-self.model.limits(tenant).per_minute :]
            assert kept == admitted[len(admitted) - len(kept) :]
            # Older ones are left out where a smaller rate made them useless.
            recent = [moment for moment in last if moment >= self.model.now - 60_000]
            assert kept[len(kept) - len(recent) :] == recent

    def numbers(self, key: str) -> dict[str, int]:
        """A hash of counts."""
        # A name with a colon is no tenant: what else the hash says of one.
        return {name.decode(): int(n) for name, n in self.keys.get(key, {}).items() if b":" not in name}

    def idempotency_keys(self) -> None:
        """Keys are there as long as they must be, and belong to whom they should."""
        owners = {}
        for key in [key for key in self.keys if key.startswith("key:")]:
            _, tenant, _, actor, name = key.split(":", 4)
            job_id, _ = unpack(self.keys[key])
            owners[tenant, actor, name] = job_id
            self.stop_time(key)
            expected = self.model.forgotten.get((tenant, actor, name))
            assert self.forgotten.get(key) == expected, f"{key} goes at {self.forgotten.get(key)}, not {expected}"
        assert owners == {name: job.job_id for name, job in self.model.keys.items()}

    def stop_time(self, key: str) -> None:
        """Only the test's clock moves: a key's time to live becomes a moment of that clock."""
        left: Any = self.broker.client.pttl(f"{self.prefix}:{key}")
        if left >= 0:
            self.forgotten[key] = self.model.now + -(-left // REAL_MS) * REAL_MS
            self.broker.client.persist(f"{self.prefix}:{key}")

    def forget_keys(self, now: int) -> None:
        """Time passes: keys go as the server would let them go."""
        for name in self.broker.client.scan_iter(match=f"{self.prefix}:key:*", count=10_000):
            self.stop_time(name.decode().removeprefix(f"{self.prefix}:"))
        for key in [key for key, moment in self.forgotten.items() if moment <= now]:
            self.broker.client.delete(f"{self.prefix}:{key}")
            del self.forgotten[key]

    def wakes(self) -> None:
        """Where something may run, a worker is woken."""
        for queue in self.queues:
            if jobs := self.model.runnable(queue):
                assert self.keys.get(f"wake:{queue}") == [b"1"], f"{jobs} may run in {queue}, nobody is woken"
