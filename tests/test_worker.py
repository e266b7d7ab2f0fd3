"""Dramatiq's own worker and middleware on the broker, in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import dramatiq
import pytest
from dramatiq import Message, Worker
from dramatiq.errors import ConnectionClosed, QueueJoinTimeout, QueueNotFound
from dramatiq.middleware import SkipMessage
from dramatiq.results import Results
from wait import eventually

from jobfleet.broker import FairBroker, current_job
from jobfleet.broker.errors import ConfigurationError, InvalidPayload, PermanentFailure, Unavailable
from jobfleet.broker.results import SettledResults
from jobfleet.middleware.retries import Retries

StartWorker = Callable[..., Worker]


@pytest.fixture
def start(broker: FairBroker) -> Iterator[StartWorker]:
    """Start workers on the broker; they are stopped, and the audit is clean, in the end."""
    workers: list[Worker] = []

    def start_worker(*, threads: int = 4, queues: set[str] | None = None) -> Worker:
        worker = Worker(broker, worker_threads=threads, worker_timeout=100, queues=queues)
        worker.start()
        workers.append(worker)
        return worker

    yield start_worker
    for worker in workers:
        worker.stop()
    assert broker.audit().clean, str(broker.audit())


def outcomes(broker: FairBroker, message: Message) -> list[str]:
    entries = broker.journal.read(count=10_000)
    return [e.kind for entry in entries for e in entry.events if e.job_id == message.message_id and e.kind != "started"]


def test_jobs_run_and_the_actor_knows_its_job(broker: FairBroker, start: StartWorker) -> None:
    seen = []

    @dramatiq.actor(broker=broker)
    def act(number: int, tenant_id: int) -> None:
        seen.append((number, current_job()))

    sent = [act.send(n, tenant_id=n) for n in range(10)]
    start()
    broker.join("default", timeout=15_000)
    assert sorted(number for number, _ in seen) == list(range(10))
    job = dict(seen)[3]
    assert job is not None
    assert (job.job_id, job.tenant_id, job.queue, job.actor, job.attempt) == (
        sent[3].message_id, "3", "default", "act", 1,
    )  # fmt: skip
    assert current_job() is None


def test_a_failing_job_is_retried_and_then_dead(broker: FairBroker, start: StartWorker) -> None:
    attempts = []

    @dramatiq.actor(broker=broker, max_retries=2, min_backoff=10, max_backoff=20)
    def act() -> None:
        job = current_job()
        attempts.append(job.attempt if job else 0)
        raise RuntimeError("always")

    message = act.send()
    start()
    letter = eventually(broker.dead_letters.list)[0]
    assert attempts == [1, 2, 3]
    assert (letter.job_id, letter.error, letter.attempts) == (message.message_id, "RuntimeError: always", 3)
    assert "raise RuntimeError" in letter.traceback
    assert outcomes(broker, message) == ["enqueued", "retry", "retry", "failed"]

    act.fn = lambda: None
    broker.dead_letters.replay([message.message_id])
    broker.join("default", timeout=15_000)
    assert outcomes(broker, message)[-2:] == ["replayed", "completed"]


def test_a_run_that_nobody_retries_is_dead_instead_of_gone(redis_url: str, namespace: str) -> None:
    broker = FairBroker(redis_url, namespace=namespace, middleware=[])

    @dramatiq.actor(broker=broker)
    def act() -> None:
        raise RuntimeError("no middleware looks after me")

    act.send()
    worker = Worker(broker, worker_threads=1, worker_timeout=100)
    worker.start()
    try:
        assert eventually(broker.dead_letters.list)[0].reason == "unhandled"
    finally:
        worker.stop()
        broker.close()


def test_the_fleets_retries_follow_the_queue_table_and_its_own_errors(
    redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobfleet.middleware.retries.POSTPONE_SECONDS", (0.02, 0.04))
    broker = FairBroker(redis_url, namespace=namespace, middleware=[Retries()])
    runs: list[str] = []

    @dramatiq.actor(broker=broker)
    def away() -> None:
        runs.append("away")
        if len(runs) < 4:
            raise Unavailable("the database is away")

    @dramatiq.actor(broker=broker)
    def hopeless() -> None:
        raise PermanentFailure("no such address")

    @dramatiq.actor(broker=broker, min_backoff=10)
    def broken() -> None:
        raise ValueError("broken")

    postponed, permanent, exhausted = away.send(), hopeless.send(), broken.send()
    worker = Worker(broker, worker_threads=2, worker_timeout=100)
    worker.start()
    try:
        broker.join("default", timeout=20_000)
        assert outcomes(broker, postponed) == ["enqueued", "postponed", "postponed", "postponed", "completed"]
        assert outcomes(broker, permanent) == ["enqueued", "failed"]
        assert outcomes(broker, exhausted) == ["enqueued", "retry", "retry", "failed"]
        reasons = {letter.job_id: (letter.reason, letter.attempts) for letter in broker.dead_letters.list()}
        assert reasons == {permanent.message_id: ("permanent", 1), exhausted.message_id: ("exhausted", 3)}
        delays = [
            event.detail["due_ms"] - event.at_ms
            for entry in broker.journal.read(count=1000)
            for event in entry.events
            if event.kind == "retry"
        ]
        assert [10 <= delays[0] <= 11, 20 <= delays[1] <= 22] == [True, True]
    finally:
        worker.stop()
        broker.close()


def test_results_travel_with_the_settle(redis_url: str, namespace: str) -> None:
    broker = FairBroker(redis_url, namespace=namespace)
    backend = SettledResults(broker)
    broker.add_middleware(Results(backend=backend, store_results=True))

    @dramatiq.actor(broker=broker)
    def add(a: int, b: int) -> dict[str, int]:
        return {"sum": a + b}

    @dramatiq.actor(broker=broker, max_retries=0)
    def unspeakable() -> object:
        return object()

    good, bad = add.send(1, 2), unspeakable.send()
    worker = Worker(broker, worker_threads=2, worker_timeout=100)
    worker.start()
    try:
        assert good.get_result(backend=backend, block=True) == {"sum": 3}
        letter = eventually(broker.dead_letters.list)[0]
        assert (letter.job_id, letter.reason) == (bad.message_id, "bad_result")
        assert "not JSON" in letter.error
    finally:
        worker.stop()
        broker.close()


def test_a_skipped_message_is_over(broker: FairBroker, start: StartWorker) -> None:
    class SkipAll(dramatiq.Middleware):
        def before_process_message(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
            raise SkipMessage("not today")

    broker.add_middleware(SkipAll())

    @dramatiq.actor(broker=broker)
    def act() -> None:
        raise AssertionError("must not run")

    message = act.send()
    start()
    broker.join("default", timeout=15_000)
    assert outcomes(broker, message) == ["enqueued", "skipped"]


def test_a_message_older_than_its_age_limit_is_dead(broker: FairBroker, start: StartWorker) -> None:
    @dramatiq.actor(broker=broker, max_age=1)
    def act() -> None:
        raise AssertionError("must not run")

    message = act.send_with_options(delay=30)
    start()
    letter = eventually(broker.dead_letters.list)[0]
    assert letter.job_id == message.message_id


def test_a_job_that_enqueues_itself_runs_again_as_one_step(broker: FairBroker, start: StartWorker) -> None:
    runs = []

    @dramatiq.actor(broker=broker)
    def again(number: int) -> None:
        runs.append(number)
        job = current_job()
        if number < 3 and job:
            message = again.message(number + 1).copy()
            broker.enqueue(Message(**{**message.asdict(), "message_id": job.job_id}), delay=10)

    message = again.send(1)
    start()
    broker.join("default", timeout=15_000)
    assert runs == [1, 2, 3]
    assert outcomes(broker, message) == ["enqueued", "retry", "retry", "completed"]


def test_several_queues_share_a_workers_threads_and_keep_their_concurrency(
    broker: FairBroker, start: StartWorker
) -> None:
    running = {"ai": 0, "email": 0}
    most = {"ai": 0, "email": 0}
    lock = threading.Lock()

    def run(queue: str) -> None:
        with lock:
            running[queue] += 1
            most[queue] = max(most[queue], running[queue])
        time.sleep(0.02)
        with lock:
            running[queue] -= 1

    @dramatiq.actor(broker=broker, queue_name="ai")
    def think() -> None:
        run("ai")

    @dramatiq.actor(broker=broker, queue_name="email")
    def mail() -> None:
        run("email")

    for _ in range(20):
        think.send()
    for _ in range(40):
        mail.send()
    start(threads=6)
    broker.join("ai", timeout=20_000)
    broker.join("email", timeout=20_000)
    assert most["ai"] <= 2, "the queue table says two ai jobs per process"
    assert most["email"] > 2


def test_an_idle_worker_does_not_poll(broker: FairBroker, start: StartWorker) -> None:
    woken = threading.Event()

    @dramatiq.actor(broker=broker)
    def act() -> None:
        woken.set()

    start()

    def fetches() -> int:
        stats = broker.client.info("commandstats")
        return int(stats.get("cmdstat_evalsha", {}).get("calls", 0)) + int(
            stats.get("cmdstat_blpop", {}).get("calls", 0)
        )

    eventually(lambda: broker.client.info("clients")["blocked_clients"] >= 1)
    before = fetches()
    asked = time.monotonic()
    eventually(lambda: time.monotonic() - asked > 2)
    assert fetches() - before <= 4, "two seconds of idling cost a heartbeat or two and no looking"
    act.send()
    assert woken.wait(10)


def test_stopping_gives_back_what_has_not_started(broker: FairBroker) -> None:
    gate, started = threading.Event(), threading.Semaphore(0)

    @dramatiq.actor(broker=broker)
    def act(number: int) -> None:
        started.release()
        gate.wait(20)

    for number in range(20):
        act.send(number)
    worker = Worker(broker, worker_threads=2, worker_timeout=100)
    worker.start()
    assert started.acquire(timeout=10) and started.acquire(timeout=10)
    stopper = threading.Thread(target=worker.stop)
    stopper.start()
    stats = eventually(lambda: broker.stats(["default"])[0] if broker.stats(["default"])[0].waiting == 18 else None)
    assert stats.active == 2, "what runs goes on"
    gate.set()
    stopper.join(20)
    (stats,) = broker.stats(["default"])
    assert (stats.waiting, stats.active, stats.completed) == (18, 0, 2)
    assert broker.client.zcard(broker.keys.workers) == 0
    assert broker.audit().clean


def test_time_limits_interrupt_and_count_as_an_attempt(broker: FairBroker, start: StartWorker) -> None:
    @dramatiq.actor(broker=broker, time_limit=50, max_retries=0)
    def slow() -> None:
        while True:
            time.sleep(0.005)

    slow.send()
    start()
    broker.emit_after("process_boot")
    assert eventually(broker.dead_letters.list)[0].error_type == "TimeLimitExceeded"


def test_pipelines_groups_and_callbacks_of_plain_dramatiq(broker: FairBroker, start: StartWorker) -> None:
    seen: list[object] = []

    @dramatiq.actor(broker=broker)
    def double(number: int) -> int:
        return number * 2

    @dramatiq.actor(broker=broker)
    def keep(number: int) -> None:
        seen.append(number)

    @dramatiq.actor(broker=broker)
    def told(message_data: dict[str, object], result: object) -> None:
        seen.append(("told", result))

    dramatiq.pipeline([double.message(2), double.message(), keep.message()], broker=broker).run()
    double.send_with_options(args=(5,), on_success=told)
    start()
    eventually(lambda: len(seen) == 2)
    assert sorted(map(str, seen)) == ["('told', 10)", "8"]


def test_a_worker_can_be_paused_and_resumed(broker: FairBroker, start: StartWorker) -> None:
    done: list[int] = []

    @dramatiq.actor(broker=broker)
    def act(number: int) -> None:
        done.append(number)

    worker = start()
    worker.pause()
    act.send(1)
    worker.resume()
    eventually(lambda: done == [1])


def test_async_actors_know_their_job(broker: FairBroker, start: StartWorker) -> None:
    from dramatiq.middleware import AsyncIO

    broker.add_middleware(AsyncIO())
    seen = []

    @dramatiq.actor(broker=broker)
    async def act() -> None:
        seen.append(current_job())

    message = act.send()
    start()
    eventually(lambda: bool(seen))
    assert seen[0] is not None and seen[0].job_id == message.message_id


@pytest.mark.parametrize(
    ("options", "arguments", "field"),
    [
        ({}, {"tenant_id": ""}, "tenant_id"),
        ({}, {"tenant_id": None}, "tenant_id"),
        ({}, {"tenant_id": True}, "tenant_id"),
        ({}, {"tenant_id": 1.5}, "tenant_id"),
        ({}, {"tenant_id": "a:b"}, "tenant_id"),
        ({}, {"tenant_id": "x" * 65}, "tenant_id"),
        ({}, {"tenant_id": "{ns}"}, "tenant_id"),
        ({"priority": 0}, {}, "priority"),
        ({"priority": 10}, {}, "priority"),
        ({"priority": True}, {}, "priority"),
        ({"priority": "high"}, {}, "priority"),
        ({"delay": -1}, {}, "delay"),
        ({"delay": "soon"}, {}, "delay"),
        ({}, {"text": "x" * 300_000}, ""),
        ({}, {"text": object()}, ""),
    ],
)
def test_bad_input_is_refused_and_nothing_is_stored(
    broker: FairBroker, options: dict[str, object], arguments: dict[str, object], field: str
) -> None:
    @dramatiq.actor(broker=broker)
    def act(**arguments: object) -> None: ...

    with pytest.raises(InvalidPayload) as caught:
        act.send_with_options(kwargs=arguments, **options)
    assert caught.value.field == field
    assert list(broker.client.scan_iter(match=f"*{broker.keys.prefix[1:-1]}*")) == []


def test_errors_of_addresses_are_clear(namespace: str, tmp_path: object) -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        FairBroker(namespace=namespace).stats()
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        FairBroker("http://nowhere", namespace=namespace).stats()
    broker = FairBroker("unix:///nowhere/at/all.sock", namespace=namespace)
    with pytest.raises(ConnectionClosed, match="unreachable"):
        broker.stats()
    with pytest.raises(QueueNotFound):
        broker.consume("nowhere")


def test_join_gives_up_at_its_timeout(broker: FairBroker) -> None:
    @dramatiq.actor(broker=broker)
    def act() -> None: ...

    act.send()
    with pytest.raises(QueueJoinTimeout):
        broker.join("default", timeout=50)
