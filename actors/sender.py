"""An actor with the options of one send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, ParamSpec, TypeVar

from dramatiq import Actor, Message

P = ParamSpec("P")
R = TypeVar("R")


class Sender(Generic[P, R]):
    """What ``actor.with_options(...)`` returns; it sends with these options.

    Parameters:
      actor: whose jobs it sends.
      delay: milliseconds before a job may run, or None.
      options: the message's options.
    """

    def __init__(self, actor: Actor[P, R], *, delay: int | None, options: Mapping[str, Any]) -> None:
        self.actor = actor
        self.delay = delay
        self.options = dict(options)

    def send(self, *args: P.args, **kwargs: P.kwargs) -> Message[R]:
        """Send a job.

        Raises:
          AdmissionError: it was refused; nothing is stored.
        """
        return self.actor.send_with_options(args=args, kwargs=kwargs, delay=self.delay, **self.options)

    def message(self, *args: P.args, **kwargs: P.kwargs) -> Message[R]:
        """Build the message without sending it, for a pipeline, a group or ``broker.enqueue``.

        Raises:
          InvalidPayload: an argument is wrong.
        """
        # Dramatiq's pipelines look for a delay among the options of the message.
        options = self.options if self.delay is None else {**self.options, "delay": self.delay}
        return self.actor.message_with_options(args=args, kwargs=kwargs, **options)
