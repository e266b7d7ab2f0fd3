"""One argument of a job."""

from __future__ import annotations

import inspect
import json
from typing import Any

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, PydanticSerializationError

from ..broker.errors import InvalidPayload

#: Characters of a wrong value that an error shows.
SHOWN = 40


class Argument:
    """What one argument may be, and how it travels.

    Parameters:
      name: as in the function's signature.
      annotation: its type there.
      default: what it is when it is not given, or ``Parameter.empty`` when it must be.
    """

    def __init__(self, name: str, annotation: Any, default: Any) -> None:
        self.name = name
        self.required = default is inspect.Parameter.empty
        self._type = _adapter(annotation)

    def typed(self, owner: str, value: Any) -> Any:
        """The value as the annotation says.

        Raises:
          InvalidPayload: it cannot be that; ``owner`` is who is said to refuse it.
        """
        try:
            return self._type.validate_python(value)
        except ValidationError as error:
            raise InvalidPayload(f"{owner}: {self._explain(error.errors()[0])}", field=self.name) from None

    def json(self, owner: str, value: Any) -> Any:
        """The value as JSON can hold it, such that ``typed`` makes the same of it again.

        Raises:
          InvalidPayload: it is not what the annotation says, or no JSON can hold it.
        """
        value = self.typed(owner, value)
        try:
            plain = self._type.dump_python(value, mode="json", by_alias=True, round_trip=True, warnings="none")
            # Python writes NaN and lone surrogates into JSON; no other reader takes them.
            json.dumps(plain, allow_nan=False, ensure_ascii=False).encode()
        except (PydanticSerializationError, TypeError, ValueError, RecursionError) as error:
            sentence = f"{owner}: {self.name} cannot be written as JSON: {error}"
            raise InvalidPayload(sentence, field=self.name) from None
        return plain

    def _explain(self, problem: ErrorDetails) -> str:
        path = self.name + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"])
        reason = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "missing":
            return f"{path} is missing"
        try:
            text = repr(problem["input"])
        except Exception:  # noqa: BLE001 (a stranger's object, or a number too long to have a text)
            text = ""
        if not 0 < len(text) <= SHOWN:
            text = f"of type {type(problem['input']).__name__}"
        return f"{path} is {text}; {reason[:1].lower()}{reason[1:]}"


def _adapter(annotation: Any) -> TypeAdapter[Any]:
    try:
        # NaN would become null without a word; as itself it is found and refused.
        return TypeAdapter(annotation, config=ConfigDict(ser_json_inf_nan="constants"))
    except PydanticUserError:
        # A model brings a configuration of its own.
        return TypeAdapter(annotation)
