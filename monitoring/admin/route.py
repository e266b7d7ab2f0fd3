"""One route of the admin server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from .call import Call
from .role import Role


class Nothing(BaseModel):
    """What a route takes that takes nothing."""

    model_config = ConfigDict(extra="ignore")


@dataclass(frozen=True, kw_only=True)
class Route:
    """What may be asked, by whom, and what answers.

    Parameters:
      method: GET takes its values from the query, POST from a JSON body.
      path: variable parts in braces.
      role: the least that a request's token must allow.
      summary: what it is for, one sentence.
      answer: makes the answer: data, which goes out as ``{"success": true, "data": ...}``, or a whole response.
      takes: the model of the values that may be given.
      refusals: what it may answer besides 200 and what every route may.
    """

    method: str
    path: str
    role: Role
    summary: str
    answer: Callable[[Call], Any]
    takes: type[BaseModel] = Nothing
    refusals: tuple[int, ...] = ()
    #: What the answer's body is.
    media_type: str = "application/json"
