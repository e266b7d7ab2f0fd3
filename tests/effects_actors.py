"""An actor that has an effect, in worker processes that tests kill: `dramatiq effects_actors`."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import dramatiq
from run_record import note

from jobfleet.actors import make_broker
from jobfleet.broker import current_job
from jobfleet.middleware import once_per_job
from jobfleet.middleware.once_per_job import OnDoubt

broker = make_broker(os.environ["REDIS_URL"])
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name="work", min_backoff=1, max_backoff=1)
def charges(number: int, on_doubt: OnDoubt, trouble: str = "") -> Any:
    """Charge a card, once.

    Parameters:
      trouble: ``killed`` between the effect and its record, or ``raises`` behind both; in the first run only.
    """
    job = current_job()
    assert job is not None
    first = job.attempt == 1 and job.losses == 0

    def charge() -> dict[str, int]:
        note(f"charge {number} {os.getpid()}")
        if first and trouble == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        return {"receipt": number}

    receipt = once_per_job("charge-card", charge, on_doubt=on_doubt)
    if first and trouble == "raises":
        raise RuntimeError("the card is charged, and then the next thing goes wrong")
    note(f"receipt {number} {json.dumps(receipt, separators=(',', ':'))}")
    return receipt
