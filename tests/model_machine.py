"""Random steps, each taken by a real fleet and by the model of it; ``model_stage`` compares them after each one."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from model import Item
from model_fleet import everything
from model_stage import LEASE_MS, QUEUES, Stage

TENANTS = ("a", "b", "c", "d")
WORKERS_MOST = 3
#: Ms for which a client may repeat a call.
REPEATED_FOR = 30_000
#: Calls that may arrive when others have run since.
LATE = {
    "enqueue",
    "fetch",
    "settle",
    "replay",
    "discard",
    "cancel",
    "cancel_many",
    "run_now",
    "resume_actor",
    "resume_queue",
    "register",
    "leave",
}

queues = st.sampled_from(QUEUES)
tenants = st.sampled_from(TENANTS)
priorities = st.sampled_from((5, 5, 1, 9))
delays = st.sampled_from((0, 0, 0, 1, 50, 40_000))
pick = st.integers(0, 30)
ran = st.sampled_from((0, 1, 10, 200))
ends = st.sampled_from(("completed", "retry", "failed", "failed", "released", "skipped", "postponed", "cancelled"))
kinds = st.one_of(ends, st.sampled_from(("started", "progress")))
#: Steps after which there is little left to look at.
rarely = st.integers(0, 3).map(lambda number: number == 3)
some_queues = st.sampled_from((QUEUES, QUEUES[::-1], QUEUES[:1], QUEUES[1:]))


class Fleet(Stage):
    """The steps."""

    @rule(rows=st.lists(st.tuples(queues, tenants, priorities, delays), min_size=1, max_size=9), client=st.booleans())
    def send(self, rows: list[tuple[str, str, int, int]], client: bool) -> None:
        jobs = [self.job(queue, tenant, priority) for queue, tenant, priority, _ in rows]
        waits = [delay for *_, delay in rows]
        messages = [self.message(job, delay) for job, delay in zip(jobs, waits, strict=True)]
        for job, delay in zip(jobs, waits, strict=True):
            self.model.send(job, delay)
        sender = self.clients[client]
        if len(jobs) == 1:
            assert sender.enqueue(messages[0], delay=waits[0] or None) is messages[0]
        else:
            assert sender.enqueue_many(messages, delay=waits) == messages

    @precondition(lambda self: self.sent)
    @rule(which=pick, client=st.booleans())
    def send_again(self, which: int, client: bool) -> None:
        """The same id: a repeat, unless its job ended long ago."""
        message, delay = self.sent[which % len(self.sent)]
        if "idempotency_key" in message.options and message.message_id not in self.model.jobs:
            return  # its key may hold: that one has the server's time to live, and the model has a clock of its own
        self.model.send(self.known[message.message_id].anew(), delay)
        self.clients[client].enqueue(message, delay=delay)

    @rule(queue=queues, tenant=tenants, members=st.integers(0, 3))
    def send_pipeline_or_group(self, queue: str, tenant: str, members: int) -> None:
        """A job whose completion sends another, or several whose last completion does."""
        following = self.job(QUEUES[0], tenant)
        jobs = [self.job(queue, tenant) for _ in range(max(1, members))]
        for job in jobs:
            job.then = [following]
        if members:
            group = f"g{following.job_id}"
            self.model.groups[group] = (members, set())
            for job in jobs:
                job.group = group
            self.clients[0].scripts.call("group", group, members, 600_000)
        self.clients[0].enqueue_many([self.message(job) for job in jobs])
        for job in jobs:
            self.model.send(job, 0)

    @precondition(lambda self: len(self.workers) < WORKERS_MOST)
    @rule()
    def join(self) -> None:
        self.new_worker()

    @rule(which=pick, wanted=some_queues, most=st.integers(1, 5), woken=st.integers(0, 2))
    def fetch(self, which: int, wanted: Sequence[str], most: int, woken: int) -> None:
        worker = self.worker(which)
        if any(job.alone for job in self.model.held(worker.worker)):
            return  # who runs a suspect asks for nothing else
        if woken < len(wanted) and self.model.workers.get(worker.worker, 0) > self.model.now:
            # It took a token. (A worker that is gone joins again and asks again at once.)
            self.direct.client.delete(self.direct.keys.wake(wanted[woken]))
        self.fetch_some(worker, most, wanted)
        if worker.status == "gone":
            self.forget(worker)
            return
        look = self.model.next_look(wanted)
        assert worker.last_next_ms == look or (self.proxy and 0 < worker.last_next_ms <= look)

    @rule(which=pick)
    def fetch_again(self, which: int) -> None:
        worker = self.worker(which)
        if worker.number and worker.worker in self.model.workers:
            held = {job.job_id for job in self.model.held(worker.worker) if job.number == worker.number}
            assert set(worker.fetch_from((), 0, repeat=True)) == held

    @rule(which=pick, rows=st.lists(st.tuples(pick, kinds, ran, delays), min_size=1, max_size=4), dead=st.booleans())
    def settle(self, which: int, rows: list[tuple[int, str, int, int]], dead: bool) -> None:
        """Also by workers that are presumed dead, and with leases that were given up since."""
        workers = self.gone if dead and self.gone else self.workers
        worker = workers[which % len(workers)]
        tokens, batch = self.tokens[worker.worker], dict[tuple[str, int], Item]()
        for index, kind, ms, delay in rows:
            if tokens:
                job_id, number = tokens[index % len(tokens)]
                later = max(delay, 1) if kind == "postponed" else delay
                batch[job_id, number] = (job_id, number, kind, ms, later)
        if batch:
            self.settle_items(worker, list(batch.values()))

    @rule(which=pick, wanted=some_queues, ways=st.lists(st.tuples(ends, ran), min_size=1, max_size=5))
    def work(self, which: int, wanted: Sequence[str], ways: list[tuple[str, int]]) -> None:
        """What a worker does all day: fetch, run, settle."""
        worker = self.worker(which)
        self.fetch(which, wanted, len(ways), 2)
        held = self.model.held(worker.worker)
        batch = [(job.job_id, job.number, kind, ms, 20) for job, (kind, ms) in zip(held, ways, strict=False)]
        if batch:
            self.settle_items(worker, batch)

    work_on = work  # so that it is chosen more often
    send_on = send

    @precondition(lambda self: self.known)
    @rule(which=pick)
    def look(self, which: int) -> None:
        """What people ask: where a job is, and whether all is well."""
        job = self.known[f"j{which % len(self.known)}"]
        state = self.clients[0].get(job.job_id)
        now = self.model.jobs.get(job.job_id)
        assert (state and (state.state, state.attempts, state.worker)) == (
            now and (now.state, now.attempts, now.worker)
        )
        why = self.clients[0].why(job.job_id)
        assert (why and why.state) == (now and now.state)
        assert self.clients[0].audit().clean

    @rule(which=pick, names=st.integers(0, 63), behind=st.booleans())
    def heartbeat(self, which: int, names: int, behind: bool) -> None:
        """Naming some of what it holds, up to the last fetch or the one before."""
        worker = self.worker(which)
        held = {job.job_id: job.number for job in self.model.held(worker.worker)}
        named = {job_id: number for at, (job_id, number) in enumerate(held.items()) if names >> at % 6 & 1}
        received = worker.number - behind
        answer = worker.beat(names=named, received=received)
        cancelled = self.model.heartbeat(worker.worker, received, named)
        if cancelled is None:
            assert answer == [b"gone"]
            self.forget(worker)
            return
        assert [answer[0], *sorted(answer[1:])] == [b"ok", *(job_id.encode() for job_id in cancelled)]

    @rule(which=pick, really=rarely)
    def leave(self, which: int, really: bool) -> None:
        if not really:
            return
        worker = self.worker(which)
        self.model.leave(worker.worker)
        worker.scripts.call("leave", worker.worker)
        self.forget(worker)

    @rule(which=pick)
    def die(self, which: int) -> None:
        """The lock that lived with the worker is free."""
        worker = self.worker(which)
        known = worker.worker in self.model.workers
        answer = self.clients[0].scripts.call("bury_worker", worker.worker)
        assert answer == known or (self.proxy and answer == 0)
        self.model.bury_worker(worker.worker)

    @rule(which=pick)
    def miss_the_lease(self, which: int) -> None:
        """One worker is silent for a lease, the others are not."""
        silent = self.worker(which)
        for _ in range(2):
            self.move_clock(LEASE_MS // 2)
            for worker in self.workers:
                if worker is not silent:
                    self.beat(worker)

    @rule(ms=st.sampled_from((1, 1, 50, 1_000, 40_000, 100_000)))
    def advance(self, ms: int) -> None:
        self.move_clock(ms)

    @rule()
    def outage(self) -> None:
        """No script ran for long: nobody is lost for one lease from now."""
        self.model.grace_until = self.clock.now + LEASE_MS
        self.clock.grace(self.model.grace_until)

    @rule(client=st.booleans())
    def upkeep(self, client: bool) -> None:
        self.model.upkeep()
        self.clients[client].upkeep()

    @rule(queue=queues, really=rarely)
    def pause(self, queue: str, really: bool) -> None:
        if not really:
            return
        self.model.paused.add(queue)
        self.clients[0].pause(queue)

    @rule(queue=queues)
    def resume(self, queue: str) -> None:
        self.model.resume(queue)
        self.model.upkeep()
        self.clients[1].resume(queue)

    @precondition(lambda self: self.sent)
    @rule(which=pick)
    def cancel(self, which: int) -> None:
        job_id = self.sent[which % len(self.sent)][0].message_id
        assert self.clients[0].cancel(job_id) == self.model.cancel(job_id)

    @precondition(lambda self: self.sent)
    @rule(which=pick)
    def run_now(self, which: int) -> None:
        job_id = self.sent[which % len(self.sent)][0].message_id
        assert self.clients[0].run_now(job_id) == self.model.run_now(job_id)

    @precondition(lambda self: self.model.those("failed"))
    @rule(which=st.lists(pick, min_size=1, max_size=3), discard=st.booleans())
    def replay_or_discard(self, which: list[int], discard: bool) -> None:
        """Some that are dead, perhaps one that is not."""
        candidates = [*(job.job_id for job in self.model.those("failed")), self.sent[-1][0].message_id]
        chosen = [candidates[index % len(candidates)] for index in which]
        letters = self.clients[0].dead_letters
        answer = letters.discard(chosen) if discard else letters.replay(chosen)
        assert answer == (self.model.discard(chosen) if discard else self.model.replay(chosen))

    @rule(queue=queues, really=rarely)
    def flush(self, queue: str, really: bool) -> None:
        if not really:
            return
        self.model.flush(queue)
        self.clients[1].flush(queue)

    @rule()
    def record(self) -> None:
        self.record_all()

    @precondition(lambda self: self.calls)
    @rule(which=pick)
    def deliver_late(self, which: int) -> None:
        """A call that was given up arrives after all, when its repeat and others have run: nothing changes."""
        (name, args), made = self.calls[-1 - which % len(self.calls)]
        if name in LATE and self.clock.now - made < REPEATED_FOR:
            before = everything(self.direct.client, self.direct.keys.prefix)
            self.direct.scripts.call(name, *args)
            assert everything(self.direct.client, self.direct.keys.prefix) == before
