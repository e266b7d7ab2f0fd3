"""Answers as they go out: JSON, whatever happened."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import to_jsonable_python
from starlette.responses import Response


def accepted(data: Any) -> Response:
    """What was asked for."""
    return _json(200, {"success": True, "data": data})


def refusal(status: int, sentence: str) -> Response:
    """Why it is not to be had."""
    response = _json(status, {"success": False, "error": sentence})
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _json(status: int, content: Any) -> Response:
    # ASCII only: half a character, which a job's arguments may have, has no other encoding.
    body = json.dumps(to_jsonable_python(content), allow_nan=False)
    return Response(body, status_code=status, media_type="application/json", headers={"Cache-Control": "no-store"})
