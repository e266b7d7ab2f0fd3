"""What an error is to the one who asked."""

from __future__ import annotations

import logging

import psycopg
from dramatiq.errors import BrokerConnectionError
from redis import RedisError

from ...broker.errors import ConfigurationError, JobfleetError, Unavailable
from .refused import Refused

LOGGER = logging.getLogger(__name__)

#: What is said of the fleet's servers when they are away.
AWAY = (RedisError, BrokerConnectionError, Unavailable)


def explained(error: Exception, path: str) -> tuple[int, str]:
    """Status and sentence of an error."""
    if isinstance(error, Refused):
        return error.status, str(error)
    if isinstance(error, (*AWAY, ConfigurationError)):
        return 503, " ".join(str(error).split())
    if isinstance(error, JobfleetError):
        return 400, str(error)
    if isinstance(error, psycopg.DataError):
        return 422, f"a value is none that PostgreSQL can compare: {' '.join(str(error).split())}"
    LOGGER.error("%s could not be answered", path, exc_info=error)
    return 500, "this could not be answered; the monitor's log says why"
