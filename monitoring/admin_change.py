"""One change that somebody asked for over HTTP, as its audit row."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Self
from uuid import UUID

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from ..broker.redaction import REDACTED
from .storable import json_value, text

#: Names of values that are not written down.
SECRET = re.compile(r"token|secret|passw|authorization|credential|api_?key|private", re.IGNORECASE)
#: Characters of an answer's JSON that are written down; a thousand ids of jobs have fewer.
ANSWER_MOST = 64 * 1024
#: Characters of a refusal.
ERROR_MOST = 2_000


@dataclass(frozen=True, kw_only=True)
class AdminChange:
    """Who asked for what, and what became of it.

    Parameters:
      id: made when it was asked for; by it the row is written once, however often that is tried.
      at: when it was asked for.
      role, fingerprint: of the token.
      remote: the address of the connection.
      forwarded_for: what the header X-Forwarded-For claims, if there is one.
      method, route: of the routing table.
      parameters: parts of the path and values of the body; those that are secret are redacted.
      status: of the answer; None while it is under way.
      answered_at: when it was answered.
      error: why it was refused.
      answer: what was done.
    """

    id: UUID
    at: datetime
    role: str
    fingerprint: str
    remote: str
    forwarded_for: str | None
    method: str
    route: str
    parameters: dict[str, Any]
    status: int | None = None
    answered_at: datetime | None = None
    error: str | None = None
    answer: Any = None

    def asking(self, values: Mapping[str, Any]) -> Self:
        """With these values of the body, too."""
        return replace(self, parameters={**self.parameters, **shown(values)})

    def done(self, answer: Any) -> Self:
        """With what was done."""
        kept = shown(to_jsonable_python(answer))
        size = len(json.dumps(kept))
        fits = size <= ANSWER_MOST
        return replace(self, status=200, answered_at=_now(), answer=kept if fits else {"left_out_characters": size})

    def refused(self, status: int, sentence: str) -> Self:
        """With why nothing, or perhaps not all, was done."""
        return replace(self, status=status, answered_at=_now(), error=text(sentence, ERROR_MOST))

    def packed(self) -> bytes:
        """As JSON, which ``unpacked`` reads."""
        return _adapter().dump_json(self)

    @classmethod
    def unpacked(cls, packed: bytes) -> AdminChange:
        """A change as ``packed`` has written it.

        Raises:
          ValueError: it is none.
        """
        return _adapter().validate_json(packed)


def shown(value: Any) -> Any:
    """A JSON value that can be stored, with a mark in place of what is secret by its name."""
    return json_value(_redacted(value))


def _redacted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: REDACTED if SECRET.search(str(key)) else _redacted(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(part) for part in value]
    return value


def _now() -> datetime:
    return datetime.now(UTC)


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[AdminChange]:
    return TypeAdapter(AdminChange)
