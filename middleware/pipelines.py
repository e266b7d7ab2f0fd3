"""Middleware that pipes a result into the next actor by name."""

from __future__ import annotations

from typing import Any

from dramatiq import Broker
from dramatiq.broker import MessageProxy
from dramatiq.message import Message
from dramatiq.middleware import Pipelines as StockPipelines

from ..broker import FairBroker
from ..broker.errors import InvalidPayload
from .payload import validate_arguments


class Pipelines(StockPipelines):
    """Middleware that sends the next stage of a pipeline; takes the place of Dramatiq's own.

    A stage says with ``pipe_as="report"`` which of its arguments the result becomes, as our actors
    take arguments by name only. With that argument the stage is complete and its arguments are
    checked; what is wrong makes it a dead letter, where Dramatiq would only log the error.
    """

    @property
    def actor_options(self) -> set[str]:
        """Dramatiq's options and ``pipe_as``."""
        return {*super().actor_options, "pipe_as"}

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        """Send the next stage of a run that completed."""
        target = message.options.get("pipe_target")
        name = (target or {}).get("options", {}).get("pipe_as")
        if target is None or name is None or exception is not None or message.failed:
            stock: Any = super()
            stock.after_process_message(broker, message, result=result, exception=exception)
            return
        stage = Message[Any](**target)
        stage = stage.copy(kwargs={**stage.kwargs, name: result})
        try:
            actor = broker.get_actor(stage.actor_name)
            _, kwargs = validate_arguments(actor.fn, (), stage.kwargs)
            stage = stage.copy(kwargs=kwargs)
        except InvalidPayload as error:
            if not isinstance(broker, FairBroker):
                raise
            broker.dead_letter_stage(stage, str(error))
            return
        broker.enqueue(stage, delay=stage.options.get("delay"))
