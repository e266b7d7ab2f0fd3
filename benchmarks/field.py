"""Who takes part, in the order of the table."""

from __future__ import annotations

from jobfleet.benchmarks.contender import Contender

FIELD = (
    Contender(name="FairBroker", module="fair_broker", distributions=("dramatiq", "redis"), peer=False, spawns=True),
    Contender(name="Dramatiq", module="dramatiq_redis", distributions=("dramatiq", "redis"), peer=False, spawns=True),
    Contender(name="BullMQ", module="bullmq", distributions=("bullmq", "ioredis"), node=True),
    Contender(name="Huey", module="with_huey", distributions=("huey", "redis")),
    Contender(name="Taskiq", module="with_taskiq", distributions=("taskiq", "taskiq-redis"), spawns=True, delays=False),
    Contender(name="Celery", module="with_celery", distributions=("celery", "kombu")),
    Contender(name="pgqueuer", module="with_pgqueuer", distributions=("pgqueuer", "asyncpg"), server="postgres"),
)

#: The one that others are compared with.
REFERENCE = "Dramatiq"
