"""An application's module for `dramatiq dropin_application`: only the broker's name depends on the environment."""

from __future__ import annotations

import asyncio
import os

import dramatiq
from dramatiq.middleware import AsyncIO, CurrentMessage
from dropin_brokers import make_broker
from run_record import note

broker = make_broker(os.environ["BROKER"], os.environ["REDIS_URL"], os.environ["JOBFLEET_NAMESPACE"])
broker.add_middleware(AsyncIO())
broker.add_middleware(CurrentMessage())
if "dramatiq_prom_port" in os.environ:
    # It makes a folder when it is imported.
    from dramatiq.middleware.prometheus import Prometheus

    broker.add_middleware(Prometheus())
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name="work", max_retries=1, min_backoff=10, max_backoff=10)
def work(number: int, fails: int = 0) -> None:
    """Note the run; fail in the first `fails` runs."""
    message = CurrentMessage.get_current_message()
    assert message is not None
    note(f"work {number} {os.getpid()}")
    if message.options.get("retries", 0) < fails:
        raise RuntimeError(f"job {number} fails")


@dramatiq.actor(queue_name="slow")
async def slow(number: int, seconds: float) -> None:
    """Note the start and the end."""
    note(f"slow {number} {os.getpid()}")
    await asyncio.sleep(seconds)
    note(f"slept {number} {os.getpid()}")
