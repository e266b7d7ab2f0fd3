"""The admin server as an ASGI application.

Every request passes the same steps: its token's role, then the values that it brings, then the route's function in
a thread (what it calls waits for servers), then JSON. Whatever goes wrong is JSON as well, with one sentence.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import psycopg
from dramatiq.errors import BrokerConnectionError
from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python
from redis import RedisError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path

from ...broker.errors import ConfigurationError, JobfleetError, Unavailable
from .call import Call
from .monitored import Monitored
from .refused import Refused
from .role import Role
from .route import Route
from .routes import ROUTES
from .tokens import Tokens

LOGGER = logging.getLogger(__name__)

#: Bytes of a request's body.
BODY_MOST = 64 * 1024
#: What is said of the fleet's servers when they are away.
AWAY = (RedisError, BrokerConnectionError, Unavailable)


def application(fleet: Monitored, tokens: Tokens) -> Starlette:
    """The application with all routes.

    Parameters:
      fleet: what it shows and changes.
      tokens: who may do so.
    """
    paths = [Path(route.path, _endpoint(route, fleet, tokens), methods=[route.method]) for route in ROUTES]
    return Starlette(routes=paths, exception_handlers={HTTPException: _on_http_error})


def _endpoint(route: Route, fleet: Monitored, tokens: Tokens) -> Any:
    async def endpoint(request: Request) -> Response:
        try:
            _admit(route, tokens.role_of(request.headers.get("authorization", "")), tokens)
            given = await _given(route, request)
            call = Call(fleet=fleet, path=request.path_params, headers=request.headers, given=given)
            data = await run_in_threadpool(route.answer, call)
        except Exception as error:  # noqa: BLE001 (whatever it is, the answer is JSON with a sentence)
            return _refusal(*_explain(error, request.url.path))
        return data if isinstance(data, Response) else _json(200, {"success": True, "data": data})

    return endpoint


def _admit(route: Route, role: Role, tokens: Tokens) -> None:
    if role >= route.role:
        return
    if role == Role.ANYONE:
        hint = "" if tokens.admin else "; this monitor knows none, set JOBFLEET_ADMIN_TOKEN and start it again"
        raise Refused(401, f"a bearer token is needed (header Authorization: Bearer ...){hint}")
    raise Refused(403, f"this needs the token of the role {route.role.name.lower()}")


async def _given(route: Route, request: Request) -> BaseModel:
    """What the request brings, as the route's model.

    Raises:
      Refused: it is not what is allowed.
    """
    values: Any = dict(request.query_params)
    if route.method == "POST":
        values = _decoded(await _body(request))
    try:
        return route.takes.model_validate(values)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, each['loc'])) or 'the body'}: {each['msg']}" for each in error.errors()]
        raise Refused(422, "; ".join(problems)) from None


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_MOST:
            raise Refused(413, f"the body is larger than {BODY_MOST:,} bytes")
    return body


def _decoded(body: bytes) -> Any:
    if not body.strip():
        return {}
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "the body is no JSON") from None


def _explain(error: Exception, path: str) -> tuple[int, str]:
    """Status and sentence of an error."""
    if isinstance(error, Refused):
        return error.status, str(error)
    if isinstance(error, AWAY):
        return 503, " ".join(str(error).split())
    if isinstance(error, ConfigurationError):
        return 503, str(error)
    if isinstance(error, JobfleetError):
        return 400, str(error)
    if isinstance(error, psycopg.DataError):
        return 422, f"a value is none that PostgreSQL can compare: {' '.join(str(error).split())}"
    LOGGER.error("%s could not be answered", path, exc_info=error)
    return 500, "this could not be answered; the monitor's log says why"


async def _on_http_error(_: Request, error: Exception) -> Response:
    """No such path, or not with this method."""
    assert isinstance(error, HTTPException)
    response = _refusal(error.status_code, f"{error.detail.lower()}; /openapi.json lists what there is")
    response.headers.update(error.headers or {})
    return response


def _refusal(status: int, sentence: str) -> Response:
    response = _json(status, {"success": False, "error": sentence})
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _json(status: int, content: Any) -> Response:
    # ASCII only: half a character, which a job's arguments may have, has no other encoding.
    body = json.dumps(to_jsonable_python(content), allow_nan=False)
    return Response(body, status_code=status, media_type="application/json", headers={"Cache-Control": "no-store"})
