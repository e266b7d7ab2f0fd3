"""An actor whose need is away, under our own retries: `dramatiq faults_away_actors`."""

from __future__ import annotations

import os

import dramatiq

from jobfleet.broker import FairBroker
from jobfleet.broker.errors import Unavailable
from jobfleet.middleware.retries import Retries

broker = FairBroker(os.environ["REDIS_URL"], middleware=[Retries()])
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name="work")
def needy() -> None:
    """Need what is not there."""
    raise Unavailable("it is away")
