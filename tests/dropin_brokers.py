"""The same application on Dramatiq's own Redis broker and on ours: what differs is a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dramatiq
from dramatiq import Broker, Worker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Middleware

from jobfleet.broker import FairBroker

#: The brokers an application may name; every other line of it stays.
BROKERS = ("fair", "dramatiq")

StartWorker = Callable[..., Worker]


def make_broker(kind: str, url: str, namespace: str, middleware: list[Middleware] | None = None) -> Broker:
    """The one line that changes."""
    if kind == "fair":
        return FairBroker(url, namespace=namespace, middleware=middleware)
    return RedisBroker(url=url, namespace=namespace, middleware=middleware)


@contextmanager
def application(
    kind: str, url: str, namespace: str, middleware: list[Middleware] | None = None
) -> Iterator[tuple[Any, StartWorker]]:
    """An application's global broker and a way to start workers on it; both are gone afterwards.

    Whatever the test did, every job of a FairBroker is accounted for in the end.
    """
    previous = dramatiq.broker.global_broker
    broker: Any = make_broker(kind, url, namespace, middleware)
    dramatiq.set_broker(broker)
    workers: list[Worker] = []

    def start(*, threads: int = 4, queues: set[str] | None = None) -> Worker:
        worker = Worker(broker, worker_threads=threads, worker_timeout=30, queues=queues)
        worker.start()
        workers.append(worker)
        return worker

    try:
        yield broker, start
    finally:
        for worker in workers:
            if any(thread.is_alive() for thread in worker.workers):
                worker.stop()
        if isinstance(broker, FairBroker):
            report = broker.audit()
            broker.close()
            assert report.clean, str(report)
        else:
            broker.client.close()
        dramatiq.broker.global_broker = previous


def drained(broker: Any, queue: str = "default") -> bool:
    """Nothing waits, is delayed or runs in a queue."""
    if isinstance(broker, FairBroker):
        return broker.stats([queue])[0].total == 0
    return bool(broker.do_qsize(queue) == 0 and broker.do_qsize(f"{queue}.DQ") == 0)


def died(broker: Any, queue: str = "default") -> set[str]:
    """The ids of the messages that failed for good."""
    if isinstance(broker, FairBroker):
        return {letter.job_id for letter in broker.dead_letters.list(queue=queue)}
    dead = broker.client.hgetall(f"{broker.namespace}:{queue}.XQ.msgs")
    return {dramatiq.Message.decode(data).message_id for data in dead.values()}
