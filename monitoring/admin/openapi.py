"""The OpenAPI document, made from the routing table: it cannot say what is not so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from ... import __version__
from .role import Role
from .route import Nothing, Route

#: What a status means, for those that routes name.
MEANINGS = {
    400: "What is asked for is not possible; says why.",
    401: "No token, or one that is not known.",
    403: "The token's role does not allow this.",
    404: "There is no such thing.",
    409: "Not in the state that it is in.",
    413: "The body is too large.",
    422: "A value is not what is allowed; says which, and what is.",
    503: "Redis or PostgreSQL is away.",
}
REFUSAL = {
    "type": "object",
    "required": ["success", "error"],
    "properties": {"success": {"const": False}, "error": {"type": "string"}},
}
ANSWER = {
    "type": "object",
    "required": ["success", "data"],
    "properties": {"success": {"const": True}, "data": {}},
}


def response(routes: Iterable[Route]) -> Response:
    """The document as an answer."""
    return Response(json.dumps(document(routes)), media_type="application/json")


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """OpenAPI 3.1."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {"Refusal": REFUSAL}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "jobfleet", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": _operation_id(route),
        "responses": _responses(route),
        "parameters": [_path_parameter(name) for name in re.findall(r"{(\w+)}", route.path)],
    }
    if route.role is not Role.ANYONE:
        operation["security"] = [{"bearer": []}]
        operation["description"] = f"Needs the token of the role {route.role.value}."
    if route.method == "POST" and route.takes is not Nothing:
        operation["requestBody"] = {"content": {"application/json": {"schema": _schema(route, schemas)}}}
    elif route.takes is not Nothing:
        operation["parameters"] += _query_parameters(route)
    return operation


def _schema(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema of what a route takes; those of its parts go to where a document has its schemas."""
    schema = route.takes.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schema.pop("$defs", {})
    return schema


def _operation_id(route: Route) -> str:
    return re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").strip("_")


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    schema = route.takes.model_json_schema()
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": values.pop("description", ""),
            "schema": values,
        }
        for name, values in schema.get("properties", {}).items()
    ]


def _responses(route: Route) -> dict[str, Any]:
    own: set[int] = {*route.refusals, 503}
    if route.role is not Role.ANYONE:
        own |= {401, 403, 422}
    if route.method == "POST":
        own |= {400, 413}
    bare = {"type": "object" if route.media_type == "application/json" else "string"}
    content = {"schema": bare if route.bare else ANSWER}
    refusal = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    answers = {"200": {"description": "Done.", "content": {route.media_type: content}}}
    return answers | {str(status): {"description": MEANINGS[status], "content": refusal} for status in sorted(own)}
