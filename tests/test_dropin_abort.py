"""An application's middleware aborts a run as it does on Dramatiq's broker: by an error in the running thread."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq.middleware import AsyncIO, Interrupt, Middleware
from dramatiq.threading import raise_thread_exception
from dropin_brokers import BROKERS, StartWorker, application, died, drained
from wait import eventually


@pytest.fixture(params=BROKERS)
def app(request: pytest.FixtureRequest, redis_url: str, namespace: str) -> Iterator[tuple[Any, StartWorker]]:
    with application(request.param, redis_url, namespace) as running:
        yield running


class Aborted(Interrupt):
    """Raised in a run that someone aborted."""


class Abort(Middleware):
    """Middleware that knows which thread runs which message, and can end the run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: dict[str, int] = {}
        self.ended: list[str] = []

    def before_process_message(self, broker: dramatiq.Broker, message: Any) -> None:
        with self._lock:
            self._threads[message.message_id] = threading.get_ident()

    def after_process_message(
        self, broker: dramatiq.Broker, message: Any, *, result: object = None, exception: BaseException | None = None
    ) -> None:
        with self._lock:
            self._threads.pop(message.message_id, None)
        self.ended.append(type(exception).__name__)

    after_skip_message = after_process_message

    def abort(self, message_id: str) -> bool:
        """End a run, if there is one."""
        with self._lock:
            if thread := self._threads.get(message_id):
                raise_thread_exception(thread, Aborted)
            return bool(thread)


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_run_that_is_aborted_fails_or_is_retried_and_its_thread_goes_on(
    app: tuple[Any, StartWorker], kind: str
) -> None:
    # Given an actor that would run for long
    broker, start = app
    abort = Abort()
    broker.add_middleware(AsyncIO())
    broker.add_middleware(abort)
    runs: list[str] = []

    def hang(name: str) -> None:
        runs.append(name)
        while runs.count(name) == 1:
            time.sleep(0.01)

    async def hang_on_the_loop(name: str) -> None:
        runs.append(name)
        if runs.count(name) == 1:
            await asyncio.sleep(30)

    fn: Any = hang if kind == "def" else hang_on_the_loop
    act = dramatiq.actor(actor_name="act", min_backoff=10, max_backoff=10)(fn)
    start(threads=1)
    # When two runs of it are aborted, one of which may be retried
    for name, retries in {"final": 0, "retried": 3}.items():
        message = act.send_with_options(args=(name,), max_retries=retries)
        eventually(lambda name=name: name in runs)  # type: ignore[misc]
        assert abort.abort(message.message_id)
        eventually(lambda: drained(broker))
    # Then the one is dead, the other has run again, and the only thread runs what comes next
    runs.append("next")
    act.send("next")
    eventually(lambda: runs.count("next") == 2 and drained(broker))
    assert abort.ended == ["Aborted", "Aborted", "NoneType", "NoneType"]
    assert runs == ["final", "retried", "retried", "next", "next"]
    assert len(died(broker)) == 1
