"""Checks a job's arguments against its function's annotations, in the caller, before anything is sent."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, get_type_hints

from pydantic import PydanticSchemaGenerationError

from ..broker.errors import ConfigurationError, InvalidPayload
from .argument import Argument
from .tenant_id import TenantId

__all__ = ["Payload", "validate_arguments"]

#: Options that callers mistake for arguments.
_OPTIONS = frozenset({"delay", "idempotency_key", "on_limit", "pipe_as", "priority"})


class Payload:
    """The arguments that one function takes, and what each of them may be.

    Parameters:
      fn: the function of an actor; its annotations are resolved here.

    Raises:
      ConfigurationError: an annotation cannot be resolved or names a type that no payload can hold.
    """

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.name = fn.__name__
        parameters = inspect.signature(fn).parameters
        try:
            hints = get_type_hints(fn, include_extras=True)
            self.arguments = {
                name: Argument(name, hints.get(name, Any), parameter.default)
                for name, parameter in parameters.items()
                if parameter.kind is not parameter.VAR_KEYWORD
            }
        except (NameError, TypeError, PydanticSchemaGenerationError) as error:
            raise ConfigurationError(f"{self.name}: an annotation cannot be used for a payload: {error}") from error
        self.open = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())

    def normalise(self, values: Mapping[str, Any], *, without: str | None = None) -> dict[str, Any]:
        """The arguments as JSON can hold them, checked.

        Parameters:
          without: an argument that may be missing, because a pipeline fills it in later.

        Raises:
          InvalidPayload: an argument is missing, unknown or not what its annotation says.
        """
        self._check_names(values, without)
        return {name: self._json(name, value) for name, value in values.items()}

    def typed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as the annotations say, from what JSON could hold.

        Raises:
          InvalidPayload: an argument is missing, unknown or not what its annotation says.
        """
        self._check_names(values, None)
        return {name: self._typed(name, value) for name, value in values.items()}

    def _json(self, name: str, value: Any) -> Any:
        if name == "tenant_id":
            self._typed(name, value)
            return _TENANT.json(self.name, value)
        return self._argument(name).json(self.name, value)

    def _typed(self, name: str, value: Any) -> Any:
        if name == "tenant_id":
            # The fleet's own rule comes first, whatever the function says of the argument.
            value = _TENANT.typed(self.name, value)
        return self._argument(name).typed(self.name, value)

    def _argument(self, name: str) -> Argument:
        return self.arguments.get(name) or Argument(name, Any, inspect.Parameter.empty)

    def _check_names(self, values: Mapping[str, Any], without: str | None) -> None:
        for name in values:
            if name not in self.arguments and not self.open:
                raise InvalidPayload(self._unknown(name), field=name)
        for name, argument in self.arguments.items():
            if argument.required and name not in values and name != without:
                raise InvalidPayload(f"{self.name} needs the argument {name}", field=name)

    def _unknown(self, name: str) -> str:
        sentence = f"{self.name} has no argument {name}"
        if close := get_close_matches(name, self.arguments, n=1):
            return f"{sentence}; did you mean {close[0]}?"
        if name in _OPTIONS:
            return f"{sentence}; it is an option: {self.name}.with_options({name}=...).send(...)"
        return f"{sentence}; it takes {', '.join(self.arguments)}"


_TENANT = Argument("tenant_id", TenantId, inspect.Parameter.empty)


@cache
def payload_of(fn: Callable[..., Any]) -> Payload:
    """The payload of a function, worked out at the first use and kept."""
    return Payload(fn)


def validate_arguments(
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    without: str | None = None,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Check the arguments of a job and bring them into the form in which they travel.

    Parameters:
      fn: the function that will run.
      args: must be empty; a job's arguments are given by name.
      kwargs: the arguments.
      without: an argument that may be missing, because a pipeline fills it in later.

    Returns:
      ``args`` and ``kwargs`` for the message, of nothing but what JSON can hold.

    Raises:
      InvalidPayload: says which argument is wrong and what is allowed; ``.field`` is its name.
    """
    payload = payload_of(fn)
    if args:
        first = next(iter(payload.arguments))
        raise InvalidPayload(f"{payload.name} takes its arguments by name, such as {first}=...")
    return (), payload.normalise(kwargs, without=without)
