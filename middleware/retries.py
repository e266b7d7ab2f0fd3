"""Middleware that decides what becomes of a run that failed.

1. A run that did not fail by itself is no attempt: a shutdown gives the job back at once, a rate
   limit or something that is away (``Unavailable``) puts it off for a while.
2. A failure that cannot heal (``PermanentFailure``, the actor's ``throws``) is final.
3. Any other failure is retried after the queue's backoff, which doubles each time, until the
   queue's attempts are used up; then it is final.
"""

from __future__ import annotations

import random
import time
import traceback
from typing import Any

from dramatiq import Broker, RateLimitExceeded, Retry
from dramatiq.broker import MessageProxy
from dramatiq.middleware import Retries as StockRetries
from dramatiq.middleware import Shutdown

from ..broker.errors import Cancelled, InvalidPayload, LeaseLost, PermanentFailure, Unavailable
from ..broker.lease import Lease, current_lease
from ..broker.settings import settings

#: Jitter only ever adds, and never more than this share of a backoff.
JITTER = 0.1
#: Seconds to put a job off whose need is away: doubling from the first to the second figure.
POSTPONE_SECONDS = (1.0, 30.0)
#: Seconds for which a job is put off at most, counted from the first time; by the server's clock.
POSTPONE_MOST = 24 * 3600
#: Seconds after which a job is tried again that met a rate limit.
RATE_LIMIT_SECONDS = 1.0


class Retries(StockRetries):
    """Middleware that retries by the queue table; takes the place of Dramatiq's own.

    Dramatiq's options (``max_retries``, ``min_backoff``, ``max_backoff``, ``retry_when``, ``throws``,
    ``on_retry_exhausted``) win over the table where an actor or a message sets them.
    """

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        """Decide what becomes of a run that raised."""
        if exception is None or isinstance(exception, Cancelled | LeaseLost):
            return
        lease = current_lease()
        if lease is not None and self._put_off(lease, message, exception):
            return
        options = {**broker.get_actor(message.actor_name).options, **message.options}
        message.options.pop("unavailable_since", None)
        message.options.pop("unavailable_times", None)
        throws = options.get("throws")
        if isinstance(exception, PermanentFailure | InvalidPayload) or (throws and isinstance(exception, throws)):
            self._fail(message, lease, "permanent")
            return
        retries = message.options.setdefault("retries", 0)
        message.options["retries"] += 1
        message.options["traceback"] = traceback.format_exc(limit=30)
        message.options["requeue_timestamp"] = int(time.time() * 1000)
        if self._is_last(message, options, retries, exception):
            self._fail(message, lease, "exhausted")
            self._tell_exhausted(broker, message, options, retries)
            return
        delay = self._delay(message, options, retries, exception)
        self.logger.info("Retrying message %r in %d milliseconds.", message.message_id, delay)
        broker.enqueue(message, delay=delay)  # type: ignore[arg-type]

    def _put_off(self, lease: Lease, message: MessageProxy, exception: BaseException) -> bool:
        """Give the job back or put it off without an attempt, where the run did not fail by itself."""
        if isinstance(exception, Shutdown):
            lease.released = "shutdown"
            return True
        if isinstance(exception, RateLimitExceeded):
            lease.postponed = (_jittered(RATE_LIMIT_SECONDS * 1000), str(exception))
            return True
        if not isinstance(exception, Unavailable):
            return False
        now = lease.server_ms() / 1000
        if now - message.options.setdefault("unavailable_since", now) > POSTPONE_MOST:
            return False
        times = message.options["unavailable_times"] = message.options.get("unavailable_times", 0) + 1
        first, most = POSTPONE_SECONDS
        seconds = exception.retry_after or min(first * 2 ** (times - 1), most)
        lease.postponed = (_jittered(seconds * 1000), f"{type(exception).__name__}: {exception}")
        return True

    def _is_last(self, message: MessageProxy, options: dict[str, Any], retries: int, exception: BaseException) -> bool:
        if retry_when := options.get("retry_when", self.retry_when):
            return not retry_when(retries, exception)
        most = options.get("max_retries")
        if most is None:
            most = settings().queue(message.queue_name).attempts - 1
        return bool(retries >= most)

    def _delay(self, message: MessageProxy, options: dict[str, Any], retries: int, exception: BaseException) -> int:
        if isinstance(exception, Retry) and exception.delay is not None:
            return int(exception.delay)
        first = options.get("min_backoff") or settings().queue(message.queue_name).first_backoff_ms
        most = min(options.get("max_backoff") or self.max_backoff, self.max_backoff)
        return _jittered(min(first * 2 ** min(retries, 32), most))

    def _fail(self, message: MessageProxy, lease: Lease | None, reason: str) -> None:
        self.logger.warning("Message %r has failed for good and becomes a dead letter: %s.", message.message_id, reason)
        message.fail()
        if lease is not None:
            lease.reason = reason

    @staticmethod
    def _tell_exhausted(broker: Broker, message: MessageProxy, options: dict[str, Any], retries: int) -> None:
        if name := options.get("on_retry_exhausted"):
            broker.get_actor(name).send(
                message.asdict(), {"retries": retries, "max_retries": options.get("max_retries")}
            )


def _jittered(ms: float) -> int:
    return int(ms * random.uniform(1, 1 + JITTER))
