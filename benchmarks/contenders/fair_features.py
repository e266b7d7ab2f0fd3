"""FairBroker with the features that are named in the environment, one by one or all."""

from __future__ import annotations

import os
from typing import Any

import dramatiq
from dramatiq import Message

from jobfleet.benchmarks.contender import CONCURRENCY, FEATURES
from jobfleet.benchmarks.marks import Marks
from jobfleet.broker import FairBroker
from jobfleet.middleware.idempotency import Idempotency
from jobfleet.middleware.job_log import JobLog
from jobfleet.middleware.tenant_limits import TenantLimits

#: Tenants that send in turn where all features are on, and where it is their number that matters.
SOME_TENANTS = 10
MANY_TENANTS = 1000

features = set(os.environ[FEATURES].split())


def _broker() -> FairBroker:
    """Dramatiq's stock middleware and what is asked for; or the broker that the fleet's own actors have."""
    if "fleet" in features:
        # Only here: it declares all of the fleet's own actors.
        from jobfleet.actors import make_broker

        return make_broker(os.environ["BENCH_URL"])
    found = FairBroker(os.environ["BENCH_URL"])
    for feature, middleware in (("rate", TenantLimits()), ("keys", Idempotency()), ("log", JobLog())):
        if feature in features:
            found.add_middleware(middleware)
    return found


marks = Marks()
broker = _broker()
dramatiq.set_broker(broker)


@dramatiq.actor
def noop(tenant_id: int | None = None) -> None:
    """Do nothing, and count it."""
    marks.count()


class FeaturesApplication:
    """Sends no-op jobs of no tenant, of one or of several in turn; with a key of its own each, or without."""

    def __init__(self) -> None:
        self._turn = 0
        self._tenants = _tenants()

    def _message(self, tenants: int) -> Message[Any]:
        self._turn += 1
        options: dict[str, Any] = {"idempotency_key": f"order:{self._turn}"} if "keys" in features else {}
        kwargs = {"tenant_id": self._turn % tenants} if tenants else {}
        return noop.message_with_options(kwargs=kwargs, **options)

    def singles(self, count: int) -> None:
        """Send no-op jobs, one after the other."""
        for _ in range(count):
            broker.enqueue(self._message(self._tenants))

    def bulk(self, count: int) -> None:
        """Send no-op jobs in one call.

        Raises:
          RuntimeError: one was refused, so that what is measured is not what is said.
        """
        self.spread(count, self._tenants)

    def spread(self, count: int, tenants: int) -> None:
        """Send no-op jobs to many tenants in turn; raises what ``bulk`` raises."""
        outcomes = broker.enqueue_many([self._message(tenants) for _ in range(count)])
        if refused := [outcome for outcome in outcomes if isinstance(outcome, Exception)]:
            raise RuntimeError(f"{len(refused)} of {count} jobs were refused: {refused[0]}")

    def sent(self) -> int:
        """How many jobs were sent."""
        return self._turn


def _tenants() -> int:
    if "fairness" in features:
        return MANY_TENANTS
    if "tenants" in features:
        return SOME_TENANTS
    # Limits are a tenant's.
    return int(bool(features & {"rate", "concurrency"}))


def application() -> FeaturesApplication:
    """The sending side."""
    return FeaturesApplication()


def worker(module: str, processes: int) -> list[str]:
    """Dramatiq's own command."""
    return ["dramatiq", module, "-p", str(processes), "-t", str(CONCURRENCY)]
