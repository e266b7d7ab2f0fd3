"""A process of an application that sends as fast as it can, once the file GO is there, and says what it met.

``python limits_sender.py NAMESPACE GO keyed SENDS`` sends one job again and again under one key;
``python limits_sender.py NAMESPACE GO free SECONDS`` sends job after job for one tenant.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from dramatiq import Message

from jobfleet.broker import FairBroker
from jobfleet.broker.errors import TenantLimitExceeded
from jobfleet.middleware.idempotency import Idempotency
from jobfleet.middleware.tenant_limits import TenantLimits

QUEUE, ACTOR, TENANT, KEY = "default", "act", "small", "order:17"


def main(namespace: str, go: str, kind: str, amount: str) -> None:
    broker = FairBroker(namespace=namespace)
    broker.add_middleware(TenantLimits())
    broker.add_middleware(Idempotency())
    print("ready", flush=True)
    while not Path(go).exists():
        time.sleep(0.005)
    print(json.dumps(send_keyed(broker, int(amount)) if kind == "keyed" else send_free(broker, float(amount))))
    broker.close()


def message(**options: Any) -> Message[Any]:
    return Message(QUEUE, ACTOR, (), {"tenant_id": TENANT}, options)


def send_keyed(broker: FairBroker, sends: int) -> dict[str, Any]:
    """How many sends were no duplicates, and the ids of all of them."""
    sent = [broker.enqueue(message(idempotency_key=KEY)) for _ in range(sends)]
    firsts = [each.message_id for each in sent if "duplicate" not in each.options]
    return {"accepted": firsts, "ids": sorted({each.message_id for each in sent})}


def send_free(broker: FairBroker, seconds: float) -> dict[str, Any]:
    """The ids of those that were admitted, and how many were refused."""
    accepted, refused, end = [], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            accepted.append(broker.enqueue(message()).message_id)
        except TenantLimitExceeded:
            refused += 1
    return {"accepted": accepted, "refused": refused}


if __name__ == "__main__":
    main(*sys.argv[1:])
