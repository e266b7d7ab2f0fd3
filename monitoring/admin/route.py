"""One route of the admin server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from .call import Call
from .role import Role

#: What makes an answer: data, which goes out as ``{"success": true, "data": ...}``, or a whole response.
Answer = Callable[[Call], Any]


class Nothing(BaseModel):
    """What a route takes that takes nothing."""

    model_config = ConfigDict(extra="ignore")


@dataclass(frozen=True, kw_only=True)
class Route:
    """What may be asked, by whom, and what answers.

    Parameters:
      method: GET takes its values from the query, POST from a JSON body.
      path: variable parts in braces.
      role: whose token it needs.
      summary: what it is for, one sentence.
      answer: makes the answer.
      takes: the model of the values that may be given.
      refusals: what it may answer besides 200 and what every route may.
    """

    method: str
    path: str
    role: Role
    summary: str
    answer: Answer
    takes: type[BaseModel] = Nothing
    refusals: tuple[int, ...] = ()
    #: What the answer's body is, and whether it has data or is itself what was asked for.
    media_type: str = "application/json"
    bare: bool = False
    #: Bytes that a body has at most.
    body_most: int = 64 * 1024

    @property
    def audited(self) -> bool:
        """Whether each use is written down: whatever does more than look, except what has a table of its own."""
        return self.method != "GET" and self.role is not Role.ALERTMANAGER


def look(
    path: str,
    answer: Answer,
    summary: str,
    *,
    takes: type[BaseModel] = Nothing,
    refusals: tuple[int, ...] = (),
    role: Role = Role.VIEWER,
) -> Route:
    """A route that shows something and changes nothing."""
    return Route(method="GET", path=path, role=role, summary=summary, answer=answer, takes=takes, refusals=refusals)


def change(
    path: str,
    answer: Answer,
    summary: str,
    *,
    takes: type[BaseModel] = Nothing,
    refusals: tuple[int, ...] = (),
) -> Route:
    """A route that changes something: the admin's, and written down."""
    return Route(
        method="POST", path=path, role=Role.ADMIN, summary=summary, answer=answer, takes=takes, refusals=refusals
    )
