"""A real fleet and the model of it, side by side: what the steps of the state machine act on."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import uuid4

from dramatiq import Message
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant
from lossy_proxy import LossyProxy
from model import Item
from model_check import Check
from model_fleet import Call, Clock, ModelWorker, RecordedBroker
from model_job import Job
from model_operator import OperatedModel
from wide_limits import give_weights

from jobfleet.broker.policy import KEY_TTL
from jobfleet.broker.scripts import pack

LEASE_MS = 600_000
QUEUES = ("email", "export")
WEIGHTS: Mapping[str, int] = {"c": 2, "d": 4}
MACHINE = "machine"
#: How much longer than others a run of a slow actor takes: its charge is far from what is usual in its queue.
SLOWER = 50
#: Share of the scripts' replies that a lossy network loses.
LOST = 0.4


class Stage(RuleBasedStateMachine):
    """One example: an empty namespace, two clients, up to three workers and some that are presumed dead."""

    redis_url: ClassVar[str]
    proxy: ClassVar[LossyProxy | None] = None
    #: Steps and whole examples that ran.
    done: ClassVar[Counter[str]] = Counter()

    @initialize(seed=st.integers(0, 2**16))
    def start(self, seed: int) -> None:
        namespace = f"model-{uuid4().hex[:12]}"
        self.direct = RecordedBroker(self.redis_url, namespace=namespace)
        through = self.proxy.url if self.proxy else self.redis_url
        self.clients = [RecordedBroker(through, namespace=namespace) for _ in range(2)]
        self.clock = Clock(self.direct.client, self.direct.keys.prefix, LEASE_MS)
        self.model = OperatedModel(self.clock.now, LEASE_MS, dict(WEIGHTS))
        self.check = Check(self.direct, self.model, QUEUES)
        give_weights(self.clients[0], dict(WEIGHTS))
        #: What was sent, with its delay, and every job that there ever was.
        self.sent: list[tuple[Message[Any], int]] = []
        self.known: dict[str, Job] = {}
        self.workers: list[ModelWorker] = []
        self.gone: list[ModelWorker] = []
        #: Worker -> the leases that it was ever given.
        self.tokens: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        self.names = 0
        self.recorded = False
        #: Calls that a slow network may deliver once more, and when they were made.
        self.calls: list[tuple[Call, int]] = []
        if self.proxy:
            self.proxy.lose(LOST, seed)
        self.new_worker()

    @invariant()
    def nothing_is_amiss(self) -> None:
        self.done["steps"] += 1
        self.check.all()
        for client in self.clients:
            self.calls += [(call, self.clock.now) for call in client.scripts.calls]
            client.scripts.calls.clear()

    def job(self, queue: str, tenant: str, priority: int = 5) -> Job:
        """A new job; each queue has an actor, and a slow one for every third job."""
        job_id = f"j{len(self.known)}"
        actor = f"slow_{queue}" if len(self.known) % 3 == 2 else f"act_{queue}"
        history = self.check.histories.setdefault(job_id, [])
        self.known[job_id] = Job(job_id, queue, tenant, actor, priority, history=history)
        return self.known[job_id]

    def message(self, job: Job, delay: int = 0) -> Message[Any]:
        """The message that sends a job."""
        options: dict[str, Any] = {"tenant_id": job.tenant, "priority": job.priority}
        if len(self.sent) % 4 == 3:
            # A key of its own changes nothing but the way it is sent, as long as the job is not over.
            options |= {"idempotency_key": job.job_id, KEY_TTL: 60_000}
        message = Message[Any](job.queue, job.actor, (), {}, options, job.job_id)
        self.sent.append((message, delay))
        return message

    def new_worker(self) -> ModelWorker:
        """A worker joins."""
        self.names += 1
        client = self.clients[self.names % 2]
        self.workers.append(ModelWorker(client, f"w{self.names}", LEASE_MS, QUEUES, MACHINE))
        self.model.register(self.workers[-1].worker)
        return self.workers[-1]

    def worker(self, which: int) -> ModelWorker:
        """One of those that believe to be members of the fleet."""
        return self.workers[which % len(self.workers)]

    def forget(self, worker: ModelWorker) -> None:
        """A worker has left, died or learnt that it is presumed lost; it may still settle."""
        self.workers.remove(worker)
        self.gone.append(worker)
        if not self.workers:
            self.new_worker()

    def fetch_some(self, worker: ModelWorker, most: int, wanted: Sequence[str]) -> list[str]:
        """Fetch, in both worlds; the model checks that it was these jobs' turn."""
        given = worker.fetch_from(wanted, most)
        assert worker.status == self.model.fetch(worker.worker, worker.number, most, wanted, given)
        self.tokens[worker.worker] += [(job_id, worker.number) for job_id in given]
        return given

    def settle_items(self, worker: ModelWorker, items: list[Item]) -> None:
        """Settle a batch, in both worlds."""
        slow = {job.job_id for job in self.known.values() if job.actor.startswith("slow")}
        batch = [(job_id, n, kind, ran * SLOWER if job_id in slow else ran, d) for job_id, n, kind, ran, d in items]
        answered = worker.settle_all(batch, self.known)
        stale = self.model.settle(worker.worker, batch)
        assert answered == stale or (self.proxy and answered == 0)

    def beat(self, worker: ModelWorker) -> bool:
        """Renew a lease and nothing else; False for one that is gone."""
        known = self.model.heartbeat(worker.worker, 0, {}) is not None
        assert (worker.beat(received=0)[0] == b"ok") == known
        return known

    def move_clock(self, ms: int) -> None:
        """Time passes."""
        self.clock.advance(ms)
        self.model.now = self.clock.now

    def record_all(self) -> None:
        """A recorder comes, and stores what is in the journal."""
        events = self.clients[0].journal.announce()
        # Until a recorder comes, the oldest entries make room for new ones.
        assert events == self.check.unrecorded or (not self.recorded and events < self.check.unrecorded)
        self.recorded = True
        if entries := self.direct.journal.read(count=10_000):
            self.clients[0].journal.recorded(entries[-1].position, events, [])
            self.check.unrecorded = 0
        assert self.direct.journal.lag()[0] == 0

    def teardown(self) -> None:
        if not hasattr(self, "check"):
            return
        try:
            if sys.exc_info()[0] is None:
                self.drive_to_the_end()
                self.done["examples"] += 1
                self.done.update(kind for events in self.check.events.values() for kind, *_ in events)
        finally:
            for key in self.direct.client.scan_iter(match=f"{self.direct.keys.prefix}:*"):
                self.direct.client.delete(key)
            for broker in (self.direct, *self.clients):
                broker.close()

    def drive_to_the_end(self) -> None:
        """Every job ends, every worker leaves: only what is kept on purpose is left."""
        for queue in QUEUES:
            self.model.resume(queue)
            self.clients[1].resume(queue)
        self.model.upkeep()
        self.last_act()
        for round_ in range(300):
            if not self.model.jobs:
                break
            self.move_clock(LEASE_MS // 4)
            self.run_all(self.worker(round_))
            dead = [job.job_id for job in self.model.those("failed")]
            answer = self.clients[0].dead_letters.discard(dead)
            assert set(answer) == set(dead)
            self.model.discard(dead)
            self.check.all()
        assert not self.model.jobs, f"{self.model.jobs} do not end"
        for worker in list(self.workers):
            self.model.leave(worker.worker)
            worker.scripts.call("leave", worker.worker)
        self.check.all()
        self.ask_everything()
        self.check.all()
        self.check.remains(self.model.groups)

    def last_act(self) -> None:
        """Operators' commands, of which a random example may have had none."""
        client = self.clients[0]
        worker = self.new_worker()
        jobs = [self.job(QUEUES[0], "a") for _ in range(3)]
        client.enqueue_many([self.message(job) for job in jobs])
        for job in jobs:
            self.model.send(job, 0)
        self.fetch_some(worker, 2, QUEUES)
        self.settle_items(worker, [(job.job_id, 1, "failed", 1, 0) for job in self.model.held(worker.worker)])
        given_up, *dead = [job.job_id for job in self.model.those("failed")] or ["nobody"]
        assert client.dead_letters.discard([given_up]) == self.model.discard([given_up])
        assert client.dead_letters.replay(dead) == self.model.replay(dead)
        assert client.cancel(jobs[2].job_id) == self.model.cancel(jobs[2].job_id)
        assert client.run_now("nobody") == "unknown"
        client.pause_actor("nobody")
        assert client.resume_actor("nobody")
        self.model.upkeep()
        if self.proxy:
            self.model.flush(QUEUES[1])
            client.flush(QUEUES[1])
        client.scripts.call("bury_worker", worker.worker)
        self.model.bury_worker(worker.worker)
        self.forget(worker)
        assert client.audit(repair=True).clean
        self.repair_what_is_right(client)
        self.check.all()

    def repair_what_is_right(self, client: RecordedBroker) -> None:
        """Repairs find nothing to do, and do nothing."""
        call, once = client.scripts.call, client.scripts.call_once
        everyone = pack([part for job_id in self.known for part in (job_id, "", "")])
        assert once("repair_jobs", everyone) == []
        assert once("repair_worker", "nobody") == 0
        assert once("repair_totals") == []
        for queue in QUEUES:
            once("repair_waiting", queue)
        assert call("audit_keys", pack([])) == []
        assert call("repair_keys", pack([]), pack([])) == [[], []]
        assert call("repair_types", pack([":jobs", "hash"])) == [0]
        assert call("repair_fields", pack(["fleet", "last", "scribble"])) == 1

    def run_all(self, worker: ModelWorker) -> None:
        """One worker takes what it can and completes it."""
        if not self.beat(worker):
            self.forget(worker)
            return
        for _ in range(2):
            held = self.model.held(worker.worker)
            self.settle_items(worker, [(job.job_id, job.number, "completed", 1, 0) for job in held])
            self.fetch_some(worker, 5, QUEUES)

    def ask_everything(self) -> None:
        """What only reads, also through a lossy network."""
        self.record_all()
        client = self.clients[0]
        self.model.groups["last"] = (1, set())
        client.scripts.call("group", "last", 1, 600_000)
        client.scripts.call("group_shrink", "last", 0)
        client.scripts.call("group_arrive", "last", "nobody", 600_000)
        assert [stats.total for stats in client.stats()] == [0] * len(client.stats())
        assert client.get("j0") is None
        assert client.why("j0") is None
        assert client.tenant_loads() == []
        assert client.scripts.call("neighbours", MACHINE) == []
        assert client.scripts.call("scale", QUEUES[0], 1_000) == [0, 0, 0]
        client.scripts.call("gauges", pack([[queue, 0, []] for queue in QUEUES]))
