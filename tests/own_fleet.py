"""This process's own broker, settings and database, pointed at one test's servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import pytest

from jobfleet.actors import send_email
from jobfleet.actors.storage import storage
from jobfleet.broker import FairBroker
from jobfleet.broker.settings import settings
from jobfleet.middleware.database import database


@contextmanager
def own_fleet(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Iterator[FairBroker]:
    """Read everything anew from the environment, now and again afterwards; gives the broker of the actors."""
    broker = send_email.broker
    assert isinstance(broker, FairBroker)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    _forget()
    try:
        yield broker
    finally:
        database().close()
        broker.close()
        for name in [name for name in vars(broker) if isinstance(getattr(type(broker), name, None), cached_property)]:
            del vars(broker)[name]
        _forget()


def _forget() -> None:
    for cached in (settings, database, storage):
        cached.cache_clear()
