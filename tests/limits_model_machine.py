"""Random steps on a fleet with limits, each taken by a real fleet and by the model of it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from limits_model import Job
from limits_model_stage import FREE, LEASE_MS, QUEUES, TENANTS, LimitsStage, met_with
from model_fleet import ModelWorker

from jobfleet.broker.limits import Limits

WORKERS_MOST = 3
#: Ms for which a client may repeat a call.
REPEATED_FOR = 30_000
#: Calls that may arrive when others have run since. (A send that was refused may be accepted then.)
LATE = {"fetch", "settle", "set_limits", "replay", "discard", "cancel", "cancel_many", "run_now"}

queues = st.sampled_from(QUEUES)
tenants = st.sampled_from(TENANTS)
on_limits = st.sampled_from(("reject", "reject", "delay", "promised"))
#: Key or none, and what tells one payload under it from another.
keyed = st.tuples(st.sampled_from(("", "", "k1", "k2")), st.sampled_from((0, 0, 0, 1)))
ttls = st.sampled_from((10, 100, 3_600))
delays = st.sampled_from((0, 0, 0, 50, 40_000, 130_000))
sends = st.tuples(queues, tenants, on_limits, keyed, ttls, delays)
pick = st.integers(0, 30)
ends = st.sampled_from(("completed", "completed", "retry", "failed", "released", "skipped", "postponed", "cancelled"))
some_queues = st.sampled_from((QUEUES, QUEUES[::-1], QUEUES[:1], QUEUES[1:]))
#: Queue and tenant of a cancel by filter; one of them at least is named.
filters = st.tuples(st.sampled_from((None, *QUEUES)), st.sampled_from((None, *TENANTS))).filter(any)
some_states = st.sampled_from(
    (("pending", "scheduled"), ("scheduled",), ("active",), ("pending", "scheduled", "active"))
)
limits = st.builds(
    Limits,
    plan=st.just("own"),
    concurrency=st.integers(1, 4),
    per_minute=st.sampled_from((1, 2, 3, 5, 12)),
    weight=st.integers(1, 4),
    max_backlog=st.sampled_from((2, 6, 50)),
    paused=st.sampled_from((False, False, False, True)),
)

Send = tuple[str, str, str, tuple[str, int], int, int]


class LimitedFleet(LimitsStage):
    """The steps."""

    def of(self, sent: Send) -> tuple[Job, str, bool, int]:
        """The job of a drawn send, its ``on_limit``, whether it was promised, and its delay."""
        queue, tenant, on_limit, (key, payload), ttl, delay = sent
        promised = on_limit == "promised"
        return self.job(queue, tenant, key, payload, ttl), "delay" if promised else on_limit, promised, delay

    @rule(sent=sends, client=st.booleans())
    def send(self, sent: Send, client: bool) -> None:
        """One send; when it is refused, or a duplicate, nothing has changed."""
        job, on_limit, promised, delay = self.of(sent)
        message = self.message(job, on_limit, promised)
        before = self.check.traces()
        outcome = self.clients[client].enqueue_many([message], delay=delay)[0]
        expected = self.model.send(job, on_limit, promised=promised, delay=delay)
        self.agree(job, outcome, expected)
        if expected == "accepted":
            self.sent.append((message, delay))
        else:
            assert self.check.traces() == before

    send_on = send  # so that it is chosen more often

    @rule(rows=st.lists(sends, min_size=2, max_size=9), client=st.booleans())
    def send_many(self, rows: list[Send], client: bool) -> None:
        """A bulk send says for each job what became of it."""
        drawn = [self.of(row) for row in rows]
        messages = [self.message(job, on_limit, promised) for job, on_limit, promised, _ in drawn]
        waits = [delay for *_, delay in drawn]
        outcomes = self.clients[client].enqueue_many(messages, delay=waits)
        expected = [
            self.model.send(job, on_limit, promised=promised, delay=delay) for job, on_limit, promised, delay in drawn
        ]
        self.done.update(expected)
        met = [met_with(job, outcome) for (job, *_), outcome in zip(drawn, outcomes, strict=True)]
        if self.proxy:
            # A repeat judges what was refused again, behind what was accepted after it: the reason may be another one.
            met, expected = (["yes" if each == "accepted" else "no" for each in found] for found in (met, expected))
        assert met == expected
        for (job, *_), message, delay, outcome in zip(drawn, messages, waits, outcomes, strict=True):
            if met_with(job, outcome) == "accepted":
                self.sent.append((message, delay))

    @rule(tenant=tenants, jobs=st.integers(1, 5), key=st.sampled_from(("", "k3")))
    def send_at_once(self, tenant: str, jobs: int, key: str) -> None:
        """Two clients send at the same time, in whichever order: together they get what the limits allow."""
        drawn = [[self.job(QUEUES[0], tenant, key, ttl_seconds=100) for _ in range(jobs)] for _ in range(2)]
        with ThreadPoolExecutor(2) as threads:
            calls = [
                threads.submit(client.enqueue_many, [self.message(job, "reject") for job in batch])
                for client, batch in zip(self.straight, drawn, strict=True)
            ]
        met = [
            (job, outcome)
            for call, batch in zip(calls, drawn, strict=True)
            for job, outcome in zip(batch, call.result(), strict=True)
        ]
        # Whoever was accepted was first; so the model is told of those first.
        for job, outcome in sorted(met, key=lambda pair: met_with(*pair) != "accepted"):
            self.agree(job, outcome, self.model.send(job, "reject"))

    @precondition(lambda self: self.sent)
    @rule(which=pick, client=st.booleans())
    def send_again(self, which: int, client: bool) -> None:
        """The same message again, while its job is not over: a repeat changes nothing, nor is it refused."""
        message, delay = self.sent[which % len(self.sent)]
        if self.model.jobs[message.message_id].state != "over":
            before = self.check.traces()
            assert self.clients[client].enqueue_many([message], delay=delay) == [message]
            assert self.check.traces() == before

    @precondition(lambda self: len(self.workers) < WORKERS_MOST)
    @rule()
    def join(self) -> None:
        self.new_worker()

    @rule(which=pick, wanted=some_queues, most=st.integers(1, 5))
    def fetch(self, which: int, wanted: Sequence[str], most: int) -> None:
        worker = self.worker(which)
        if not self.runs_alone(worker):
            self.fetch_some(worker, wanted, most)

    @precondition(lambda self: len(self.workers) > 1)
    @rule(most=st.integers(1, 4))
    def fetch_at_once(self, most: int) -> None:
        """Two workers fetch at the same time: together they stay within the limits."""
        pair = self.workers[:2]
        if any(self.runs_alone(worker) or worker.worker not in self.model.workers for worker in pair):
            return
        self.model.upkeep(QUEUES)
        self.direct.upkeep()
        with ThreadPoolExecutor(2) as threads:
            given = list(threads.map(lambda worker: self.fetch_through(worker, most), pair))
        for worker, ids in zip(pair, given, strict=True):
            self.took(worker, QUEUES, ids)

    def fetch_through(self, worker: ModelWorker, most: int) -> list[str]:
        """Fetch on a connection of its own, which loses no reply: the proxy counts those of one client at a time."""
        lossy, worker.scripts = worker.scripts, self.straight[self.workers.index(worker)].scripts
        try:
            return worker.fetch_from(QUEUES, most)
        finally:
            worker.scripts = lossy

    @rule(which=pick, rows=st.lists(st.tuples(pick, ends, delays), min_size=1, max_size=5), dead=st.booleans())
    def settle(self, which: int, rows: list[tuple[int, str, int]], dead: bool) -> None:
        """Also by workers that are presumed dead, and of leases that were given up since."""
        workers = self.gone if dead and self.gone else self.workers
        worker = workers[which % len(workers)]
        tokens, batch = self.tokens[worker.worker], dict[tuple[str, int], tuple[str, int, str, int]]()
        for index, kind, delay in rows:
            if tokens:
                job_id, number = tokens[-1 - index % len(tokens)]
                batch[job_id, number] = (job_id, number, kind, max(delay, 1) if kind == "postponed" else delay)
        if batch:
            self.settle_items(worker, list(batch.values()))

    @rule(which=pick, wanted=some_queues, ways=st.lists(ends, min_size=1, max_size=4))
    def work(self, which: int, wanted: Sequence[str], ways: list[str]) -> None:
        """What a worker does all day: fetch, run, settle."""
        worker = self.worker(which)
        self.fetch(which, wanted, len(ways))
        held = [job for job in self.model.those("active") if job.worker == worker.worker]
        if held:
            self.settle_items(
                worker, [(job.job_id, job.number, kind, 20) for job, kind in zip(held, ways, strict=False)]
            )

    @rule(which=pick)
    def die(self, which: int) -> None:
        """The lock that lived with the worker is free."""
        worker = self.worker(which)
        self.clients[0].scripts.call("bury_worker", worker.worker)
        self.model.part(worker.worker, lost=True)

    @rule(which=pick)
    def leave(self, which: int) -> None:
        worker = self.worker(which)
        self.clients[1].scripts.call("leave", worker.worker)
        self.model.part(worker.worker, lost=False)
        self.forget(worker)

    @rule(which=pick)
    def miss_the_lease(self, which: int) -> None:
        """One worker is silent for a lease, the others are not."""
        silent = self.worker(which)
        for _ in range(2):
            self.move_clock(LEASE_MS // 2, silent)

    @rule(ms=st.sampled_from((1, 50, 20_000, 60_000, 60_001, 130_000)))
    def advance(self, ms: int) -> None:
        self.move_clock(ms)

    @rule(client=st.booleans())
    def upkeep(self, client: bool) -> None:
        self.model.upkeep(QUEUES)
        self.clients[client].upkeep()

    @precondition(lambda self: self.sent)
    @rule(which=pick)
    def cancel(self, which: int) -> None:
        job_id = self.sent[-1 - which % len(self.sent)][0].message_id
        assert self.clients[0].cancel(job_id) == self.model.cancel(job_id)

    @precondition(lambda self: self.model.those("dead"))
    @rule(which=pick, discard=st.booleans())
    def replay_or_discard(self, which: int, discard: bool) -> None:
        dead = self.model.those("dead")
        job = dead[which % len(dead)]
        letters = self.clients[1].dead_letters
        assert (letters.discard if discard else letters.replay)([job.job_id]) == [job.job_id]
        if discard:
            self.model.give_up(job)
        else:
            job.state, job.losses = "waiting", 0

    @precondition(lambda self: self.sent)
    @rule(which=pick)
    def run_now(self, which: int) -> None:
        """A delay or a backoff is over; a rate is not."""
        job_id = self.sent[-1 - which % len(self.sent)][0].message_id
        assert self.clients[1].run_now(job_id) == self.model.run_now(job_id)

    @rule(queue=queues, really=st.integers(0, 3))
    def flush(self, queue: str, really: int) -> None:
        if really == 3:
            self.model.cancel_matching(queue, None, ("pending", "scheduled"))
            self.clients[1].flush(queue)

    @rule(filters=filters, states=some_states, dry_run=st.sampled_from((True, True, True, False)))
    def cancel_matching(self, filters: tuple[str | None, str | None], states: Sequence[str], dry_run: bool) -> None:
        """Of what matches all is over, or marked where it runs; the others stay."""
        queue, tenant = filters
        expected = self.model.matching(queue, tenant, states)
        before = self.check.traces()
        done = self.clients[0].cancel_matching(queue=queue, tenant_id=tenant, states=states, dry_run=dry_run)
        assert {state: set(getattr(done, state)) for state in ("pending", "scheduled", "active")} == {
            state: {job.job_id for job in expected.get(state, ())} for state in ("pending", "scheduled", "active")
        }
        if dry_run:
            assert self.check.traces() == before
        else:
            self.model.cancel_matching(queue, tenant, states)

    @rule(tenant=tenants, others=limits)
    def change_a_tenant(self, tenant: str, others: Limits) -> None:
        self.set_limits(self.model.free, {tenant: others})

    @rule(tenant=tenants)
    def forget_a_tenant(self, tenant: str) -> None:
        """It is free, as everybody is who is not known."""
        self.set_limits(self.model.free, {}, [tenant])

    @rule(others=limits)
    def change_the_free_plan(self, others: Limits) -> None:
        self.set_limits(replace(others, plan=FREE.plan, paused=False), {})

    @precondition(lambda self: self.calls)
    @rule(which=pick)
    def deliver_late(self, which: int) -> None:
        """A call that was given up arrives after all, when its repeat and others have run: nothing changes."""
        (name, args), made = self.calls[-1 - which % len(self.calls)]
        if name in LATE and self.clock.now - made < REPEATED_FOR:
            before = self.check.traces()
            self.direct.scripts.call(name, *args)
            assert self.check.traces() == before
