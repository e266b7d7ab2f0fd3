"""Whose run is it? The hooks of middleware, and the run that each of them works for."""

from __future__ import annotations

import json
import threading
import time
from typing import Any, Protocol, runtime_checkable

from dramatiq.broker import Broker
from dramatiq.middleware import AgeLimit, Middleware, MiddlewareError, Pipelines, SkipMessage, TimeLimit

from .age_limit import judged_by_the_server
from .lease import Lease, set_current_lease
from .settings import settings


class RunHooks(Broker):
    """A broker that knows, while hooks and actors run, for which lease they do.

    Parameters:
      middleware: Dramatiq's default list if None.
    """

    def __init__(self, middleware: list[Middleware] | None) -> None:
        self._hooks: dict[str, list[tuple[Middleware, Any]]] = {}
        self._hooked: list[Middleware] = []
        super().__init__(middleware)

    def emit_before(self, signal: str, *args: Any, **kwargs: Any) -> None:
        """Run the hooks of a signal; a run begins before its first hook."""
        if signal == "process_message":
            self._begin_run(args[0])
        for middleware, hook in self._hooks_of("before_" + signal):
            try:
                hook(self, *args, **kwargs)
            except MiddlewareError:
                raise
            except Exception:
                self.logger.critical("Unexpected failure in %s of %r.", "before_" + signal, middleware, exc_info=True)

    def emit_after(self, signal: str, *args: Any, **kwargs: Any) -> None:
        """Run the hooks of a signal in reverse, and note how a run ended.

        What they send while a run is looked at goes into the settle of that run.
        """
        if signal in ("process_message", "skip_message") and (lease := getattr(args[0], "lease", None)):
            lease.in_hooks = True
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
        """The middleware that do something at a signal: most hooks are Dramatiq's empty ones.

        Remembering them makes the four signals of a job with the stock middleware 8 microseconds instead of 19; Dramatiq's
        own loop takes 16 (timeit, Python 3.11).
        """
        if self._hooked != self.middleware:
            # Applications may also change the list in place.
            self._hooked = list(self.middleware)
            self._hooks.clear()
        found = self._hooks.get(name)
        if found is None:
            empty = getattr(Middleware, name, None)
            hooks = [(m, _hook(m, name)) for m in self.middleware]
            found = [(m, hook) for m, hook in hooks if getattr(hook, "__func__", hook) is not empty]
            self._hooks[name] = found
        return found

    def _begin_run(self, message: Any) -> None:
        """From here on this thread works for the message's lease.

        Raises:
          SkipMessage: the lease has been given back or cancelled while the message waited for a thread.
        """
        lease: Lease | None = getattr(message, "lease", None)
        if lease is None:
            return
        set_current_lease(lease)
        if lease.handed_over:
            raise SkipMessage("the job was given back before it started")
        lease.thread = threading.current_thread()
        lease.options = message.options
        lease.started = time.monotonic()

    def time_limit(self, lease: Lease) -> float | None:
        """Seconds that a run may take by the TimeLimit middleware, None without one."""
        limiter = next((m for m in self.middleware if isinstance(m, TimeLimit)), None)
        if limiter is None or lease.job.actor not in self.actors:
            return None
        ms = lease.options.get("time_limit") or self.actors[lease.job.actor].options.get("time_limit")
        ms = ms or (limiter.limit_ms(lease.job.queue) if isinstance(limiter, LimitsByQueue) else limiter.time_limit)
        return None if ms == float("inf") else float(ms) / 1000


@runtime_checkable
class LimitsByQueue(Protocol):
    """A TimeLimit that has no limit of its own but one for each queue."""

    def limit_ms(self, queue_name: str) -> float:
        """Milliseconds that a run of the queue may take."""


def _hook(middleware: Middleware, name: str) -> Any:
    hook = getattr(middleware, name)
    if name == "after_process_message" and type(middleware) is Pipelines:
        return _when_piped(hook)
    if name == "before_process_message" and type(middleware) is AgeLimit:
        return judged_by_the_server(middleware)
    return hook


def _when_piped(hook: Any) -> Any:
    """Dramatiq's hook without its import at each run, which is 5% of a no-op job where nothing is piped."""

    def after_process_message(broker: Broker, message: Any, **outcome: Any) -> None:
        if message.options.get("pipe_target") is not None:
            hook(broker, message, **outcome)

    return after_process_message


def end_run(message: Any, result: Any) -> None:
    """Keep a result for the job log where no Results middleware took it."""
    lease: Lease | None = getattr(message, "lease", None)
    if lease is None or result is None or lease.result[0]:
        return
    try:
        text = json.dumps(result, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        return
    if len(text) <= settings().payload_max:
        lease.result = (text, "", 0)


def skip_run(message: Any) -> None:
    """A hook passed the message over."""
    lease: Lease | None = getattr(message, "lease", None)
    if lease is not None:
        lease.skipped = True
