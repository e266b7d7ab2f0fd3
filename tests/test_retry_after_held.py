"""Who is refused is told when a send would be taken, also where held jobs of its tenant go first."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from dramatiq import Message

from jobfleet.broker import FairBroker
from jobfleet.broker.errors import TenantLimitExceeded
from jobfleet.broker.limits import Limits
from jobfleet.middleware.tenant_limits import TenantLimits

RATE = 10
FREE = Limits(plan="free", concurrency=2, per_minute=RATE, weight=1, max_backlog=10_000)
#: What is admitted that many ms after the Nth before it is more than a minute later.
MINUTE_MS = 60_001


@pytest.fixture
def limited(broker: FairBroker) -> FairBroker:
    broker.add_middleware(TenantLimits())
    broker.limits.publish({"free": FREE}, {}, version=1)
    return broker


def send(broker: FairBroker, jobs: int, **options: Any) -> None:
    messages = [Message[Any]("default", "act", (), {"tenant_id": "small"}, options) for _ in range(jobs)]
    assert broker.enqueue_many(messages) == messages


def refused(broker: FairBroker) -> float:
    """Send one more and be refused; returns the ms after which the next one is said to be taken."""
    with pytest.raises(TenantLimitExceeded) as refusal:
        send_one(broker)
    return refusal.value.retry_after * 1_000


def send_one(broker: FairBroker) -> None:
    broker.enqueue(Message("default", "act", (), {"tenant_id": "small"}, {}))


def now_ms(broker: FairBroker) -> int:
    seconds, microseconds = broker.client.time()
    return int(seconds) * 1_000 + int(microseconds) // 1_000


def admitted(broker: FairBroker) -> list[int]:
    return [int(moment) for moment in broker.client.lrange(f"{broker.keys.prefix}:times:small", 0, -1)]


@pytest.mark.parametrize("held", [1, 9, 10, 25, 1_000])
def test_the_moment_lies_behind_all_that_is_held(limited: FairBroker, held: int) -> None:
    # Given a tenant that has used up its rate within half a minute, and held jobs
    begin = now_ms(limited) - 40_000
    limited.client.rpush(f"{limited.keys.prefix}:times:small", *(begin + 3_000 * number for number in range(RATE)))
    send(limited, held, on_limit="delay")

    # When one more is sent that is not held
    before = now_ms(limited)
    told = refused(limited)
    after = now_ms(limited)

    # Then it is told when it would be let in if all of them were let in as early as can be
    moments = admitted(limited)
    for _ in range(held + 1):
        moments.append(moments[-RATE] + MINUTE_MS)
    assert all(earlier <= later for earlier, later in pairwise(moments))
    assert before <= moments[-1] - told <= after


def test_where_nobody_has_let_in_what_is_held_it_is_told_when_somebody_looks(limited: FairBroker) -> None:
    # Given a held job that the rate would let in, which nobody has done yet
    send(limited, RATE + 1, on_limit="delay")
    limited.client.delete(f"{limited.keys.prefix}:times:small")
    limited.client.zadd(limited.keys.gates, {"small": now_ms(limited)})

    # Then a send is told to ask again when the monitor has looked, and is taken then
    assert refused(limited) == 1_000
    limited.upkeep()
    send_one(limited)


def test_within_one_bulk_send_what_is_held_goes_first_too(limited: FairBroker) -> None:
    options: list[dict[str, Any]] = [{"on_limit": "delay"}] * (3 * RATE) + [{}]
    messages = [Message[Any]("default", "act", (), {"tenant_id": "small"}, each) for each in options]

    *taken, refusal = limited.enqueue_many(messages)

    assert taken == messages[:-1]
    assert isinstance(refusal, TenantLimitExceeded)
    assert refusal.retry_after * 1_000 == 3 * MINUTE_MS
