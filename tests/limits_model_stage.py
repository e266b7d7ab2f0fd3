"""A real fleet with limits and the model of it, side by side: what the steps of the state machine act on."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar
from uuid import uuid4

from dramatiq import Message
from dramatiq.middleware import MiddlewareError
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant
from limits_model import MINUTE_MS, Job, LimitsModel
from limits_model_check import LimitsCheck
from lossy_proxy import LossyProxy
from model_fleet import Call, Clock, ModelWorker, RecordedBroker

from jobfleet.broker.errors import BacklogFull, IdempotencyConflict, TenantLimitExceeded
from jobfleet.broker.limits import Limits
from jobfleet.broker.scripts import pack
from jobfleet.middleware.idempotency import Idempotency
from jobfleet.middleware.tenant_limits import TenantLimits

LEASE_MS = 600_000
QUEUES = ("email", "export")
TENANTS = ("a", "b", "c")
FREE = Limits(plan="free", concurrency=2, per_minute=4, weight=1, max_backlog=9)
#: Share of the scripts' replies that a lossy network loses.
LOST = 0.4
#: Shares of the service in the last act.
WEIGHTS = {"a": 1, "b": 2, "c": 4}


class LimitsStage(RuleBasedStateMachine):
    """One example: an empty namespace with plans, two clients (and two for threads), some workers."""

    redis_url: ClassVar[str]
    proxy: ClassVar[LossyProxy | None] = None
    #: Steps, whole examples, and what became of sends.
    done: ClassVar[Counter[str]] = Counter()

    @initialize(seed=st.integers(0, 2**16))
    def start(self, seed: int) -> None:
        self.namespace = f"limits-{uuid4().hex[:12]}"
        through = self.proxy.url if self.proxy else self.redis_url
        self.straight = [self.client(self.redis_url) for _ in range(2)]
        self.clients = [self.client(through) for _ in range(2)]
        self.direct = self.straight[0]
        self.clock = Clock(self.direct.client, self.direct.keys.prefix, LEASE_MS)
        self.model = LimitsModel(self.clock.now, LEASE_MS, FREE)
        self.check = LimitsCheck(self.direct, self.model, QUEUES)
        self.version = self.names = 0
        self.sent: list[tuple[Message[Any], int]] = []
        self.workers: list[ModelWorker] = []
        self.gone: list[ModelWorker] = []
        #: Worker -> the leases that it was ever given.
        self.tokens: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        #: Calls that a slow network may deliver once more, and when they were made.
        self.calls: list[tuple[Call, int]] = []
        if self.proxy:
            self.proxy.lose(LOST, seed)
        self.set_limits(FREE, {})
        self.new_worker()

    def client(self, url: str) -> RecordedBroker:
        broker = RecordedBroker(url, namespace=self.namespace)
        broker.add_middleware(TenantLimits())
        broker.add_middleware(Idempotency())
        return broker

    @invariant()
    def nothing_is_amiss(self) -> None:
        self.done["steps"] += 1
        self.check.all()
        for client in self.clients:
            self.calls += [(call, self.clock.now) for call in client.scripts.calls]
            client.scripts.calls.clear()

    # Sending.

    def job(self, queue: str, tenant: str, key: str = "", payload: int = 0, ttl_seconds: int = 0) -> Job:
        """A job that nobody has sent yet; one without a key is told from others by its payload."""
        self.names += 1
        return Job(f"j{self.names}", queue, tenant, "act", key, payload, ttl_seconds * 1000)

    @staticmethod
    def message(job: Job, on_limit: str, promised: bool = False) -> Message[Any]:
        """The message that sends a job."""
        options: dict[str, Any] = {"on_limit": on_limit}
        if promised:
            options["promised"] = True
        if job.key:
            options |= {"idempotency_key": job.key, "idempotency_ttl": job.ttl_ms // 1000}
        return Message(job.queue, job.actor, (), {"tenant_id": job.tenant, "n": job.payload}, options, job.job_id)

    def agree(self, job: Job, outcome: Message[Any] | MiddlewareError, expected: str) -> None:
        """What became of a send is what the model says."""
        self.done[expected] += 1
        assert met_with(job, outcome) == expected, f"{job} met {outcome!r}, expected was {expected}"
        if expected == "duplicate":
            assert isinstance(outcome, Message) and outcome.message_id == self.model.keys[job.name].job_id
        elif isinstance(outcome, IdempotencyConflict):
            assert outcome.job_id == self.model.keys[job.name].job_id
        elif isinstance(outcome, TenantLimitExceeded):
            assert round(outcome.retry_after * 1000) == self.model.retry_after(job.tenant) > 0

    # Workers.

    def new_worker(self) -> ModelWorker:
        """A worker joins."""
        name = f"w{len(self.workers) + len(self.gone)}"
        client = self.clients[len(self.gone) % 2]
        self.workers.append(ModelWorker(client, name, LEASE_MS, QUEUES))
        self.model.register(name)
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

    def runs_alone(self, worker: ModelWorker) -> bool:
        """Who runs a suspect asks for nothing else."""
        return any(job.alone and job.worker == worker.worker for job in self.model.those("active"))

    def fetch_some(self, worker: ModelWorker, queues: Sequence[str], most: int) -> list[str]:
        """Fetch, having been woken for all of the queues: whatever is left must wake another worker."""
        if self.model.workers.get(worker.worker, 0) > self.model.now:
            for queue in queues:
                self.direct.client.delete(self.direct.keys.wake(queue))
        given = worker.fetch_from(queues, most)
        self.took(worker, queues, given)
        return given

    def took(self, worker: ModelWorker, queues: Sequence[str], given: list[str]) -> None:
        """A worker was given jobs, or told that it is gone."""
        self.model.fetch(worker.worker, worker.number, queues, given, worker.status)
        self.tokens[worker.worker] += [(job_id, worker.number) for job_id in given]
        self.done["starts"] += len(given)
        if worker.status == "gone":
            self.forget(worker)

    def settle_items(self, worker: ModelWorker, items: list[tuple[str, int, str, int]]) -> None:
        """Settle a batch, in both worlds."""
        answered = worker.settle_all([(job_id, number, kind, 1, delay) for job_id, number, kind, delay in items])
        stale = self.model.settle(worker.worker, items)
        assert answered == stale or (self.proxy and answered == 0)

    # Time and limits.

    def move_clock(self, ms: int, silent: ModelWorker | None = None) -> None:
        """Time passes, in which all workers but one that may be silent renew their leases."""
        self.clock.advance(ms)
        self.check.forget_keys(self.clock.now)
        self.model.tick(self.clock.now)
        for worker in self.workers:
            if worker is not silent and worker.worker in self.model.workers:
                # It names no queue: a heartbeat would mend a wake-up that another step has forgotten.
                assert self.direct.scripts.call("heartbeat", pack([worker.worker, 0, [], [], []]))[0] == b"ok"
                self.model.register(worker.worker)

    def set_limits(self, free: Limits, tenants: dict[str, Limits], gone: Sequence[str] = ()) -> None:
        """Other limits hold."""
        self.version += 1
        table = self.clients[self.version % 2].limits
        assert table.publish({"free": free}, tenants, version=self.version, gone=gone)
        self.model.set_limits(free, tenants, gone)

    # The end.

    def teardown(self) -> None:
        if not hasattr(self, "check"):
            return
        try:
            if sys.exc_info()[0] is None:
                self.drive_to_the_end()
                self.share_out()
                self.done["examples"] += 1
        finally:
            for key in self.direct.client.scan_iter(match=f"{self.direct.keys.prefix}:*", count=10_000):
                self.direct.client.delete(key)
            for broker in (*self.straight, *self.clients):
                broker.close()

    def drive_to_the_end(self) -> None:
        """Every tenant wakes once it is not paused, however it was parked or held: all jobs end."""
        resumed = {
            tenant: replace(limits, paused=False, per_minute=max(FREE.per_minute, limits.per_minute))
            for tenant, limits in self.model.tenants.items()
        }
        self.set_limits(FREE, resumed)
        for round_ in range(300):
            if not self.model.those("waiting", "held", "scheduled", "active"):
                return
            self.run_all(self.worker(round_))
            self.move_clock(MINUTE_MS + 1)
            self.check.all()
        raise AssertionError(f"{self.model.those('waiting', 'held', 'scheduled', 'active')} do not end")

    def run_all(self, worker: ModelWorker) -> None:
        """All runs complete, then one worker takes and completes what it can, until nobody is woken any more."""
        for each in self.workers:
            self.complete_all(each)
        for _ in range(200):
            given = self.fetch_some(worker, QUEUES, 5)
            if worker not in self.workers:
                return
            if not given and not any(self.direct.client.exists(self.direct.keys.wake(queue)) for queue in QUEUES):
                break
            self.complete_all(worker)
        left = [job for queue in QUEUES for job in self.model.runnable(queue)]
        assert not left, f"nobody is woken, but {left} may run"

    def complete_all(self, worker: ModelWorker) -> None:
        """A worker completes all that it runs."""
        held = [job for job in self.model.those("active") if job.worker == worker.worker]
        if held:
            self.settle_items(worker, [(job.job_id, job.number, "completed", 0) for job in held])

    def share_out(self) -> None:
        """Three tenants with enough to do are served by their weights."""
        worker = self.new_worker()
        self.version += 1
        wide = Limits(plan="wide", concurrency=1_000, per_minute=1_000, weight=1, max_backlog=1_000)
        tenants = {tenant: replace(wide, weight=weight) for tenant, weight in WEIGHTS.items()}
        self.direct.limits.publish({}, tenants, version=self.version)
        messages = [
            Message[Any]("shares", "share", (), {"tenant_id": tenant}, {}, f"share-{tenant}-{number}")
            for tenant in WEIGHTS
            for number in range(40)
        ]
        assert self.direct.enqueue_many(messages) == messages
        shares = Counter(job_id.split("-")[1] for job_id in worker.fetch_from(["shares"], 35))
        assert all(abs(shares[tenant] - 5 * weight) <= 1 for tenant, weight in WEIGHTS.items()), shares


def met_with(job: Job, outcome: Message[Any] | MiddlewareError) -> str:
    """What a send was met with, in the model's words."""
    if isinstance(outcome, TenantLimitExceeded):
        return "rate"
    if isinstance(outcome, BacklogFull):
        return "backlog"
    if isinstance(outcome, IdempotencyConflict):
        return "conflict"
    assert isinstance(outcome, Message), outcome
    return "duplicate" if outcome.options.get("duplicate") else "accepted"
