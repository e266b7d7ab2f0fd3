"""The admin server as an ASGI application.

Every request passes the same steps: its token's role, then the values that it brings, then the route's function in
a thread (what it calls waits for servers), then JSON. Whatever goes wrong is JSON as well, with one sentence.
What may change something is written down on its way, here and for all routes: none can forget it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from anyio import CapacityLimiter, to_thread
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path

from ..admin_audit import AdminAudit
from .answers import accepted, refusal
from .audit_entry import AuditEntry, asked
from .call import Call
from .explained import explained
from .monitored import Monitored
from .refused import Refused
from .role import Role
from .route import Route
from .routes import ROUTES
from .tokens import Tokens

#: What is done once its answer is out, at the same time; the threads that answer are not for that, it may be slow.
LATER_AT_ONCE = 4


def application(fleet: Monitored, tokens: Tokens) -> Starlette:
    """The application with all routes.

    Parameters:
      fleet: what it shows and changes.
      tokens: who may do so.
    """
    later = CapacityLimiter(LATER_AT_ONCE)
    paths = [Path(route.path, _endpoint(route, fleet, tokens, later), methods=[route.method]) for route in ROUTES]
    return Starlette(routes=paths, exception_handlers={HTTPException: _on_http_error})


def _endpoint(route: Route, fleet: Monitored, tokens: Tokens, later: CapacityLimiter) -> Any:
    async def endpoint(request: Request) -> Response:
        role = tokens.role_of(request.headers.get("authorization", ""))
        # Nothing of one without a token: anybody could fill the table.
        if route.audited and role is not Role.ANYONE:
            change = asked(route, request, role, await run_in_threadpool(tokens.fingerprint, role))
            entry = AuditEntry(AdminAudit(fleet.database, fleet.broker), change)
        else:
            entry = None
        try:
            _admit(route, role, tokens)
            call = Call(fleet, request.path_params, request.headers, await _given(route, request))
            response = await _answered(route, call, entry)
        except Exception as error:  # noqa: BLE001 (whatever it is, the answer is JSON with a sentence)
            status, sentence = explained(error, request.url.path)
            if entry:
                await entry.refused(status, sentence)
            return refusal(status, sentence)
        if call.later:
            response.background = BackgroundTasks([BackgroundTask(_aside, each, later) for each in call.later])
        return response

    return endpoint


async def _aside(work: Callable[[], None], threads: CapacityLimiter) -> None:
    await to_thread.run_sync(work, limiter=threads)


def _admit(route: Route, role: Role, tokens: Tokens) -> None:
    if role.allows(route.role):
        return
    if role is Role.ANYONE:
        hint = "" if tokens.admin else "; this monitor knows none, set JOBFLEET_ADMIN_TOKEN and start it again"
        raise Refused(401, f"a bearer token is needed (header Authorization: Bearer ...){hint}")
    raise Refused(403, f"this needs the token of the role {route.role.value}")


async def _answered(route: Route, call: Call, entry: AuditEntry | None) -> Response:
    if entry:
        await entry.begin(call.given)
    data = await run_in_threadpool(route.answer, call)
    response = data if isinstance(data, Response) else accepted(data)
    if entry:
        await entry.done(data)
    return response


async def _given(route: Route, request: Request) -> BaseModel:
    """What the request brings, as the route's model.

    Raises:
      Refused: it is not what is allowed.
    """
    values: Any = dict(request.query_params)
    if route.method == "POST":
        values = _decoded(await _body(request, route.body_most))
    try:
        return route.takes.model_validate(values)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, each['loc'])) or 'the body'}: {each['msg']}" for each in error.errors()]
        raise Refused(422, "; ".join(problems)) from None


async def _body(request: Request, most: int) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise Refused(413, f"the body is larger than {most:,} bytes")
    return body


def _decoded(body: bytes) -> Any:
    if not body.strip():
        return {}
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "the body is no JSON") from None


async def _on_http_error(_: Request, error: Exception) -> Response:
    """No such path, or not with this method."""
    assert isinstance(error, HTTPException)
    response = refusal(error.status_code, f"{error.detail.lower()}; /openapi.json lists what there is")
    response.headers.update(error.headers or {})
    return response
