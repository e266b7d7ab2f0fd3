"""What the log may show of a job, said by the actor and carried by the message."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from difflib import get_close_matches
from typing import Any

from dramatiq import Actor, Broker, Message, Middleware
from dramatiq.errors import ActorNotFound

from ..broker.errors import InvalidPayload
from .redacted_calls import RedactedCalls


class JobLog(Middleware):
    """Middleware that stamps on a message what the log may show.

    The values of the arguments that an actor names in its option ``redact`` never reach the job log; each is written
    as ``[redacted]`` there. Positional arguments are meant too. No server is asked.

    >>> @dramatiq.actor(redact=["password"])
    ... def create_user(name, password): ...
    """

    @property
    def actor_options(self) -> set[str]:
        """The option ``redact``: names of arguments."""
        return {"redact"}

    def before_declare_actor(self, broker: Broker, actor: Actor[..., Any]) -> None:
        """Refuse an option that would leave a secret in the log; keep secrets out of Dramatiq's own log lines.

        Raises:
          InvalidPayload: ``redact`` names an argument that the actor does not take.
        """
        names = _names(actor.options.get("redact"))
        parameters = inspect.signature(actor.fn).parameters
        places = (place for place, name in enumerate(parameters) if name in names)
        actor.logger.addFilter(RedactedCalls(frozenset((*names, *places))))
        if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()):
            return
        for name in names:
            if name not in parameters:
                close = get_close_matches(name, parameters, n=1)
                hint = f"did you mean {close[0]}?" if close else f"allowed are {', '.join(parameters) or 'none'}"
                raise InvalidPayload(f"redact of {actor.actor_name} names {name!r}: {hint}", field="redact")

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        """Stamp ``options["redact"]``: names, and the places of those that were passed by position."""
        try:
            actor = broker.get_actor(message.actor_name)
        except ActorNotFound:
            return
        names = _names(actor.options.get("redact"))
        if not names:
            return
        parameters = list(inspect.signature(actor.fn).parameters)
        places = [parameters.index(name) for name in names if name in parameters]
        stamped = [*names, *(place for place in places if place < len(message.args))]
        message.options["redact"] = list(dict.fromkeys([*message.options.get("redact", ()), *stamped]))


def _names(given: Collection[str] | str | None) -> list[str]:
    """The option as a list; a single name may be given as it is.

    Raises:
      InvalidPayload: it is something else.
    """
    names = [given] if isinstance(given, str) else list(given or ())
    if not all(isinstance(name, str) for name in names):
        raise InvalidPayload(f"redact is {given!r}, it must be names of arguments", field="redact")
    return sorted(names)
