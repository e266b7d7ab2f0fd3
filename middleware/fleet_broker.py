"""The broker by which functions reach the fleet that are called without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dramatiq.broker

from ..broker import FairBroker


@contextmanager
def fleet_broker() -> Iterator[FairBroker]:
    """The broker that the application has set, else one of the settings for as long as the block lasts.

    Raises:
      ConfigurationError: there is none, and no Redis server is named.
    """
    broker = dramatiq.broker.global_broker
    if isinstance(broker, FairBroker):
        yield broker
        return
    own = FairBroker(middleware=[])
    try:
        yield own
    finally:
        own.close()
