"""Moving jobs: the Dramatiq broker, its scripts, leases, settlement, journal, dead letters and audit."""

from __future__ import annotations

from .fair_broker import FairBroker
from .job import SYSTEM
from .lease import current_job
from .queues import QUEUES
from .settings import settings

__all__ = ["QUEUES", "SYSTEM", "FairBroker", "current_job", "settings"]
