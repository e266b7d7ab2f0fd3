"""An application's module for `dramatiq logging_application`, which switches the fleet's log on."""

from __future__ import annotations

import dramatiq

from jobfleet.middleware import configure_logging

configure_logging()

import logging_actors  # noqa: E402 (as in an application, the log comes first)

broker = dramatiq.get_broker()

__all__ = ["broker", "logging_actors"]
