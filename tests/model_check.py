"""Model and fleet compared, after each step and at the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from model import Model
from model_fleet import everything
from model_job import lawful

from jobfleet.broker import FairBroker
from jobfleet.broker.record import Record
from jobfleet.broker.scripts import unpack

#: Tags that differ by less are the same, added up in another order.
NEARLY = 1e-3

Place = tuple[Any, ...]
PLACES = {"suspects": "pending", "scheduled": "scheduled", "active": "active", "dead": "failed"}

#: What may be left when every job has ended and every worker has left.
REMAINS = {
    "fleet",
    "journal",
    "metrics",
    "queues",
    "tags",
    "vtime",
    "means",
    "key",
    "plans",
    "resumed",
    "tenants",
    "wake",
    "ended",
    "settled",
    "answer",
    "arrived",
    "callbacks",
}


class Check:
    """Compares one namespace with the model of it."""

    def __init__(self, broker: FairBroker, model: Model, queues: tuple[str, ...]) -> None:
        self.broker, self.model, self.queues = broker, model, queues
        #: Every key of the namespace, as it is after this step.
        self.keys: dict[str, Any] = {}
        self.position = "0-0"
        #: Events that no recorder has stored.
        self.unrecorded = 0
        self.events: defaultdict[str, list[tuple[str, int, str]]] = defaultdict(list)
        self.histories: dict[str, list[tuple[str, int, str]]] = {}

    def all(self) -> None:
        """Everything that must hold after each step."""
        self.keys = everything(self.broker.client, self.broker.keys.prefix)
        self.places()
        self.order()
        self.workers()
        self.stats()
        self.journal()
        self.counts()
        report = self.broker.audit()
        assert report.clean, str(report)

    def places(self) -> None:
        """No job is lost, none is in two places, and each is where the model has it."""
        records = {job_id.decode(): Record.decode(packed) for job_id, packed in self.keys.get("jobs", {}).items()}
        found: defaultdict[str, list[Place]] = defaultdict(list)
        for queue in self.queues:
            for kind, state in PLACES.items():
                for job_id, since in self.scores(f"{kind}:{queue}").items():
                    record = records[job_id]
                    moment = record.since_ms if kind == "suspects" else int(since)
                    place = (state, queue, moment, record.tenant_id, record.attempts, record.losses)
                    found[job_id].append(place)
            for key in [key for key in self.keys if key.startswith(f"line:{queue}:")]:
                for job_id in self.scores(key):
                    record = records[job_id]
                    place = ("pending", queue, record.since_ms, key.split(":", 2)[2], record.attempts, record.losses)
                    found[job_id].append(place)
        for job in self.model.jobs.values():
            since = job.fetched if job.state == "active" else job.since
            expected = (job.state, job.queue, since, job.tenant, job.attempts, job.losses)
            assert found[job.job_id] == [expected], f"{job.job_id}: {found[job.job_id]} is not [{expected}]"
        assert set(found) == set(records) == set(self.model.jobs)

    def order(self) -> None:
        """Lines are as the model sorts them, tags as it adds them up, and idle workers are woken."""
        expected: dict[str, list[str]] = {}
        for queue in self.queues:
            lines = self.model.lines(queue)
            expected |= {f"line:{queue}:{tenant}": [job.job_id for job in line] for tenant, line in lines.items()}
            assert list(self.scores(f"suspects:{queue}")) == [job.job_id for job in self.model.suspects(queue)]
            self.tags(queue, set(lines))
            if queue not in self.model.paused and self.model.those("pending", queue):
                assert self.keys.get(f"wake:{queue}") == [b"1"], f"jobs wait in {queue}, nobody is woken"
        assert {key: list(self.scores(key)) for key in self.keys if key.startswith("line:")} == expected

    def tags(self, queue: str, in_line: set[str]) -> None:
        """The ring holds exactly the tenants in line; tags are equal but for the last bits and the steps between equals, which are Redis's."""
        order = self.model.orders[queue]
        ring, idle = self.scores(f"ring:{queue}"), self.scores(f"tags:{queue}")
        assert set(ring) == in_line, f"the ring of {queue} holds {set(ring)}, in line are {in_line}"
        assert not ring.keys() & idle.keys()
        virtual = float(self.keys.get("vtime", {}).get(queue.encode(), 0))
        assert abs(virtual - order.virtual) < NEARLY
        tags = ring | idle
        for tenant in tags.keys() | order.tags.keys():
            mine, redis_has = order.tags.get(tenant, virtual), tags.get(tenant, virtual)
            if tenant not in ring:
                # Idle and passed is as good as forgotten, and a step between equals decides when Redis forgets.
                mine, redis_has = max(virtual, mine), max(virtual, redis_has)
            assert abs(mine - redis_has) < NEARLY, f"{tenant} in {queue} is at {redis_has}, should be at {mine}"
        order.virtual, order.tags = virtual, tags

    def scores(self, key: str) -> dict[str, float]:
        """A sorted set, in its order."""
        return {member.decode(): score for member, score in self.keys.get(key, [])}

    def workers(self) -> None:
        """Leases are held by whom the model says, under the same fetch, and end when it says."""
        assert self.scores("workers") == self.model.workers
        expected = {
            f"leases:{worker}": {job.job_id: (job.number, job.attempts + 1) for job in held}
            for worker in self.model.workers
            if (held := self.model.held(worker))
        }
        found = {
            key: {job_id.decode(): (unpack(lease)[0], unpack(lease)[7]) for job_id, lease in leases.items()}
            for key, leases in self.keys.items()
            if key.startswith("leases:")
        }
        assert found == expected
        cancels = {job_id.decode() for job_id in self.keys.get("cancels", {})}
        assert cancels == {job.job_id for job in self.model.those("active") if job.cancelling}

    def stats(self) -> None:
        """The counts that people see."""
        for stats in self.broker.stats(self.queues):
            now = [len(self.model.those(state, stats.queue)) for state in PLACES.values()]
            waiting = Counter(str(job.since // 1000).encode() for job in self.model.those("pending", stats.queue))
            told = {second: int(n) for second, n in self.keys.get(f"waiting:{stats.queue}", {}).items()}
            assert told == ({**waiting, b"n": waiting.total()} if waiting else {})
            assert sorted(self.scores(f"oldest:{stats.queue}")) == sorted(second.decode() for second in waiting)
            assert [stats.waiting, stats.delayed, stats.active, stats.failed] == now
            done = sum(
                n
                for c, n in self.model.counts.items()
                if c[:2] == ("jobs_processed", stats.queue) and c[-1] == "completed"
            )
            assert (stats.completed, stats.paused) == (done, stats.queue in self.model.paused)

    def journal(self) -> None:
        """Each job has the events of its history, in lawful order."""
        for entry in self.broker.journal.read(self.position, count=10_000):
            self.position = entry.position
            self.unrecorded += len(entry.events)
            for event in entry.events:
                assert event.at_ms <= self.model.now
                self.events[event.job_id].append((event.kind, event.attempt, event.worker))
        assert self.events == {job_id: history for job_id, history in self.histories.items() if history}
        for job_id, events in self.events.items():
            assert lawful(kind for kind, *_ in events), f"{job_id}: {events}"

    def counts(self) -> None:
        """Every counter; of the histograms the number of jobs in them and their sums."""
        found: Counter[tuple[str, ...]] = Counter()
        in_buckets: Counter[str] = Counter()
        for name, value in self.keys.get("metrics", {}).items():
            words = tuple(name.decode().split("\t"))
            if words[0] in ("job_wait", "job_run") and words[-1] != "sum":
                in_buckets[words[0]] += int(value)
            else:
                found[words] += int(value)
        expected = Counter({tuple(map(str, count)): n for count, n in self.model.counts.items()})
        assert +found == +expected, f"too many: {+(found - expected)}, too few: {+(expected - found)}"
        assert in_buckets["job_wait"] == sum(n for c, n in self.model.counts.items() if c[0] == "wait_slo_starts")

    def remains(self, groups: Iterable[str]) -> None:
        """Nothing is left of jobs, lines and leases; groups, and what unfinished ones keep, are forgotten by themselves."""
        assert {key for key in self.keys if key.split(":")[0] not in REMAINS} == {f"group:{name}" for name in groups}
