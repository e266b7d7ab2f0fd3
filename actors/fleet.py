"""The fleet's broker: which middleware, in which order, and why."""

from __future__ import annotations

from importlib.util import find_spec

from dramatiq import Middleware
from dramatiq.middleware import AgeLimit, Callbacks, ShutdownNotifications
from dramatiq.results import Results

from ..broker import FairBroker
from ..broker.results import SettledResults
from ..middleware.idempotency import Idempotency
from ..middleware.job_log import JobLog
from ..middleware.pipelines import Pipelines
from ..middleware.queue_time_limit import QueueTimeLimit
from ..middleware.retries import Retries
from ..middleware.tenant_limits import TenantLimits
from ..middleware.tracing import Tracing


def make_broker(url: str | None = None) -> FairBroker:
    """A broker with all of the fleet's policies; reads and connects nothing yet.

    ``before_*`` hooks run down the list, ``after_*`` hooks back up:

    - ``Results`` is last, so a result is kept before anything else looks at the run;
    - ``Retries`` comes before what is above it in ``after_*``, so callbacks and pipelines know
      whether a failure was final;
    - ``TenantLimits``, ``Idempotency``, ``JobLog`` and ``Tracing`` stamp messages when they are sent, so their place
      among the others is free;
    - ``Spans``, there where OpenTelemetry is, comes before all, so that the others run inside of an attempt's span.

    Parameters:
      url: address of the Redis server, ``REDIS_URL`` if None.
    """
    broker = FairBroker(url, middleware=[])
    results = SettledResults(broker)
    for middleware in (
        *_spans(),
        Tracing(),
        AgeLimit(),
        QueueTimeLimit(),
        ShutdownNotifications(),
        Callbacks(),
        Pipelines(),
        Retries(),
        TenantLimits(),
        Idempotency(),
        JobLog(),
        Results(backend=results, store_results=True),
    ):
        broker.add_middleware(middleware)
    return broker


def _spans() -> list[Middleware]:
    """The middleware that needs the extra ``otel``, where that is installed."""
    # Its folder may be there without the API: other packages put theirs into it too.
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.trace") is None:
        return []
    from ..middleware.spans import Spans

    return [Spans()]
