"""Puts the running job on every log line."""

from __future__ import annotations

import logging

from dramatiq.broker import MessageProxy
from dramatiq.message import Message

from ..broker.current_trace import current_trace
from ..broker.lease import current_job


class JobFields(logging.Filter):
    """A filter for a handler: a line that is logged while a job runs gets the job's fields.

    These are ``job_id``, ``tenant``, ``queue``, ``actor`` and ``attempt``, and ``trace_id`` where there is a trace,
    also outside of a job; a line that brings one of them itself (``extra=``) keeps it. It knows the job in plain and
    async actors, in ``asyncio.to_thread`` and in whatever else runs in the actor's context; in a thread that an actor
    starts itself it does so within ``contextvars.copy_context().run``.

    A message that is told of in a line is told by its actor's name: its arguments are nothing for a log.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the fields; lets every line pass."""
        job = current_job()
        fields = job.fields() if job is not None else {}
        if "job_id" not in record.__dict__ and (trace := current_trace()) is not None:
            fields["trace_id"] = trace.trace_id
        for name, value in fields.items():
            record.__dict__.setdefault(name, value)
        if isinstance(record.args, tuple) and any(isinstance(arg, Message | MessageProxy) for arg in record.args):
            record.args = tuple(
                arg.actor_name if isinstance(arg, Message | MessageProxy) else arg for arg in record.args
            )
        return True
