"""Actors of an application that log, for worker processes that tests start."""

from __future__ import annotations

import asyncio
import logging
import threading
import warnings
from contextvars import copy_context

import dramatiq
from dramatiq.middleware import AsyncIO

from jobfleet.actors import actor
from jobfleet.broker import current_job
from jobfleet.middleware.tenant_id import TenantId

LOGGER = logging.getLogger(__name__)

dramatiq.get_broker().add_middleware(AsyncIO())


@actor(queue_name="report", min_backoff=1, max_backoff=1)
def chain(*, tenant_id: TenantId, secret: str = "") -> None:
    """Fail in the first attempt; then send the next job."""
    job = current_job()
    LOGGER.info("chain runs", extra={"step": 1})
    if job is not None and job.attempt == 1:
        raise ValueError("not\nyet \udcff")
    link.send(tenant_id=tenant_id)


@actor(queue_name="report")
async def link(*, tenant_id: TenantId) -> None:
    """Log from a coroutine, from a thread that asyncio starts and from one that takes the context along."""
    LOGGER.info("link runs")
    await asyncio.sleep(0)
    await asyncio.to_thread(LOGGER.info, "link in asyncio's thread")
    thread = threading.Thread(target=copy_context().run, args=(LOGGER.info, "link in a thread of its own"))
    thread.start()
    thread.join()
    warnings.warn("link warns", stacklevel=1)
    hopeless.send(tenant_id=tenant_id)


@actor(queue_name="report", max_retries=0)
def hopeless(*, tenant_id: TenantId, secret: str = "sesame") -> None:
    """Fail for good, and lose a thread to an exception."""
    thread = threading.Thread(target=fall, name="fallen")
    thread.start()
    thread.join()
    raise RuntimeError("hopeless")


def fall() -> None:
    """End a thread with an exception."""
    raise KeyError("fallen")
