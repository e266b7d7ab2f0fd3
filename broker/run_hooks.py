"""Whose run is it? The hooks of middleware, and the run that each of them works for."""

from __future__ import annotations

import json
import time
from typing import Any

from dramatiq.broker import Broker
from dramatiq.middleware import Middleware, MiddlewareError

from .lease import Lease, set_current_lease


class RunHooks(Broker):
    """A broker that knows, while hooks and actors run, for which lease they do.

    Parameters:
      middleware: Dramatiq's default list if None.
    """

    def __init__(self, middleware: list[Middleware] | None) -> None:
        self._hooks: dict[str, list[tuple[Middleware, Any]]] = {}
        super().__init__(middleware)

    def add_middleware(self, middleware: Middleware, **place: Any) -> None:
        """Add a middleware, by default at the end of the list."""
        super().add_middleware(middleware, **place)
        self._hooks.clear()

    def emit_before(self, signal: str, *args: Any, **kwargs: Any) -> None:
        """Run the hooks of a signal; a run begins before its first hook."""
        if signal == "process_message":
            begin_run(args[0])
        for middleware, hook in self._hooks_of("before_" + signal):
            try:
                hook(self, *args, **kwargs)
            except MiddlewareError:
                raise
            except Exception:
                self.logger.critical("Unexpected failure in %s of %r.", "before_" + signal, middleware, exc_info=True)

    def emit_after(self, signal: str, *args: Any, **kwargs: Any) -> None:
        """Run the hooks of a signal in reverse, and note how a run ended."""
        for middleware, hook in reversed(self._hooks_of("after_" + signal)):
            try:
                hook(self, *args, **kwargs)
            except Exception:
                self.logger.critical("Unexpected failure in %s of %r.", "after_" + signal, middleware, exc_info=True)
        if signal == "process_message":
            end_run(args[0], kwargs.get("result"))
        elif signal == "skip_message":
            skip_run(args[0])
        elif signal in ("ack", "nack"):
            set_current_lease(None)

    def _hooks_of(self, name: str) -> list[tuple[Middleware, Any]]:
        """The middleware that do something at a signal: most hooks are Dramatiq's empty ones."""
        found = self._hooks.get(name)
        if found is None:
            empty = getattr(Middleware, name, None)
            found = [(m, getattr(m, name)) for m in self.middleware if getattr(type(m), name, None) is not empty]
            self._hooks[name] = found
        return found


def begin_run(message: Any) -> None:
    """From here on this thread works for the message's lease."""
    lease: Lease | None = getattr(message, "lease", None)
    if lease is not None:
        lease.started = time.monotonic()
        set_current_lease(lease)


def end_run(message: Any, result: Any) -> None:
    """Keep a result for the job log where no Results middleware took it."""
    lease: Lease | None = getattr(message, "lease", None)
    if lease is None or result is None or lease.result[0]:
        return
    try:
        lease.result = (json.dumps(result, separators=(",", ":")), "", 0)
    except (TypeError, ValueError):
        return


def skip_run(message: Any) -> None:
    """A hook passed the message over."""
    lease: Lease | None = getattr(message, "lease", None)
    if lease is not None:
        lease.skipped = True
