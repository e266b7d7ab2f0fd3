"""Dramatiq's worker threads in the test's own process; the fixture ``start_worker`` starts them."""

from __future__ import annotations

from typing import Protocol

from dramatiq import Worker


class StartWorker(Protocol):
    """Starts a worker on the test's broker."""

    def __call__(self, *, threads: int = 4, queues: set[str] | None = None) -> Worker:
        """Start a worker; it is stopped after the test."""
