"""The same actors in a process that loses patience with stuck runs sooner: `dramatiq faults_stuck_actors`."""

from __future__ import annotations

from faults_actors import broker

from jobfleet.broker import health

__all__ = ["broker"]

# Half a minute is right for a fleet and long for a test.
health.STUCK_AFTER = 1.0
