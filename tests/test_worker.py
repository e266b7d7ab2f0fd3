"""Dramatiq's own worker on the broker, in this process."""

from __future__ import annotations

import threading
import time

import dramatiq
import pytest
from dramatiq import Worker
from dramatiq.errors import ConnectionClosed, QueueJoinTimeout, QueueNotFound
from wait import eventually
from worker_threads import StartWorker

from jobfleet.broker import FairBroker, current_job
from jobfleet.broker.errors import ConfigurationError


def test_jobs_run_and_the_actor_knows_its_job(broker: FairBroker, start_worker: StartWorker) -> None:
    seen = []

    @dramatiq.actor(broker=broker)
    def act(number: int, tenant_id: int) -> None:
        seen.append((number, current_job()))

    sent = [act.send(n, tenant_id=n) for n in range(10)]
    start_worker()
    broker.join("default", timeout=15_000)
    assert sorted(number for number, _ in seen) == list(range(10))
    job = dict(seen)[3]
    assert job is not None
    assert (job.job_id, job.tenant_id, job.queue, job.actor, job.attempt) == (
        sent[3].message_id, "3", "default", "act", 1,
    )  # fmt: skip
    assert current_job() is None


def test_several_queues_share_a_workers_threads_and_keep_their_concurrency(
    broker: FairBroker, start_worker: StartWorker
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
    start_worker(threads=6)
    broker.join("ai", timeout=20_000)
    broker.join("email", timeout=20_000)
    assert most["ai"] <= 2, "the queue table says two ai jobs per process"
    assert most["email"] > 2


def test_an_idle_worker_does_not_poll(broker: FairBroker, start_worker: StartWorker) -> None:
    woken = threading.Event()

    @dramatiq.actor(broker=broker)
    def act() -> None:
        woken.set()

    start_worker()

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


def test_what_a_fetch_under_way_brings_while_stopping_is_given_back_at_once(
    broker: FairBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, started = threading.Event(), threading.Semaphore(0)
    held_back, go_on = threading.Event(), threading.Event()
    call = broker.scripts.call

    def slow(name: str, *args: bytes | str | int) -> object:
        answer = call(name, *args)
        if name == "fetch" and len(answer) > 1 and started_one.is_set():
            held_back.set()
            go_on.wait(10)
        return answer

    started_one = threading.Event()

    @dramatiq.actor(broker=broker)
    def act() -> None:
        started.release()
        gate.wait(20)

    act.send()
    worker = Worker(broker, worker_threads=3, worker_timeout=100)
    worker.start()
    assert started.acquire(timeout=10)
    monkeypatch.setattr(broker.scripts, "call", slow)
    started_one.set()
    broker.enqueue_many([act.message(), act.message()])
    assert held_back.wait(10), "two more jobs have been fetched, the reply is on its way"
    stopper = threading.Thread(target=worker.stop)
    stopper.start()
    eventually(lambda: not worker.workers[0].running)
    go_on.set()
    eventually(lambda: broker.stats(["default"])[0].waiting == 2)
    assert broker.stats(["default"])[0].active == 1, "while the first one still runs"
    gate.set()
    stopper.join(20)
    (stats,) = broker.stats(["default"])
    assert (stats.waiting, stats.active, stats.completed) == (2, 0, 1)


def test_pipelines_groups_and_callbacks_of_plain_dramatiq(broker: FairBroker, start_worker: StartWorker) -> None:
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

    dramatiq.pipeline(
        [double.message(2), double.message_with_options(), keep.message_with_options()], broker=broker
    ).run()
    double.send_with_options(args=(5,), on_success=told)
    start_worker()
    eventually(lambda: len(seen) == 2)
    assert sorted(map(str, seen)) == ["('told', 10)", "8"]


def test_a_worker_can_be_paused_and_resumed(broker: FairBroker, start_worker: StartWorker) -> None:
    done: list[int] = []

    @dramatiq.actor(broker=broker)
    def act(number: int) -> None:
        done.append(number)

    worker = start_worker()
    worker.pause()
    act.send(1)
    worker.resume()
    eventually(lambda: done == [1])


def test_async_actors_know_their_job(broker: FairBroker, start_worker: StartWorker) -> None:
    from dramatiq.middleware import AsyncIO

    broker.add_middleware(AsyncIO())
    seen = []

    @dramatiq.actor(broker=broker)
    async def act() -> None:
        seen.append(current_job())

    message = act.send()
    start_worker()
    eventually(lambda: bool(seen))
    assert seen[0] is not None and seen[0].job_id == message.message_id


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
