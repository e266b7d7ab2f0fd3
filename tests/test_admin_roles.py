"""Who may use which route of the monitor's HTTP: found by going through all of them, so that none can be forgotten."""

from __future__ import annotations

import socket

import pytest
from admin_site import AUTHORIZATION, TOKENS, monitored, path_of, refusal
from http_client import Client
from requests import Response
from starlette.routing import Route as Path
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.broker.errors import ConfigurationError
from jobfleet.middleware.database import Database
from jobfleet.monitoring.admin.application import application
from jobfleet.monitoring.admin.role import Role
from jobfleet.monitoring.admin.route import Route
from jobfleet.monitoring.admin.routes import ROUTES
from jobfleet.monitoring.admin.server import AdminServer
from jobfleet.monitoring.admin.tokens import Tokens

#: What each role may use beside what is open to anyone.
MAY = {
    Role.ANYONE: set[Role](),
    Role.VIEWER: {Role.VIEWER},
    Role.ALERTMANAGER: {Role.ALERTMANAGER},
    Role.ADMIN: {Role.VIEWER, Role.ALERTMANAGER, Role.ADMIN},
}
OPEN = {"/metrics", "/healthz", "/readyz", "/openapi.json"}
#: What may be looked at by the admin only.
ADMINS_LOOKS = {"/admin/queues/stats"}


def ask(client: Client, route: Route, authorization: str | None) -> Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    return client.ask(route.method, path_of(route), headers=headers)


def test_nothing_is_served_beside_the_table_of_routes(broker: FairBroker, pool: Database) -> None:
    served = [
        (method, path.path)
        for path in application(monitored(broker, pool), TOKENS).routes
        if isinstance(path, Path)
        for method in (path.methods or set[str]()) - {"HEAD"}
    ]

    assert len(served) == len(application(monitored(broker, pool), TOKENS).routes)
    assert sorted(served) == sorted((route.method, route.path) for route in ROUTES)


def test_only_what_must_be_is_open_and_only_the_admin_changes() -> None:
    assert {route.path for route in ROUTES if route.role is Role.ANYONE} == OPEN
    assert {route.path for route in ROUTES if route.role is Role.ALERTMANAGER} == {"/alerts"}
    assert {route.path for route in ROUTES if route.role is Role.ADMIN and route.method == "GET"} == ADMINS_LOOKS
    changing = [route for route in ROUTES if route.method != "GET" and route.path != "/alerts"]
    assert all(route.role is Role.ADMIN and route.audited for route in changing)
    assert {route.method for route in ROUTES} == {"GET", "POST"}


def test_each_route_answers_whom_it_may_and_nobody_else(served: str) -> None:
    seen, right = {}, {}
    with Client(served) as client:
        for route in ROUTES:
            for role, authorization in AUTHORIZATION.items():
                answer = ask(client, route, authorization)
                case = (route.method, route.path, role.value)
                may = route.role is Role.ANYONE or route.role in MAY[role]
                right[case] = "answers" if may else "401" if role is Role.ANYONE else "403"
                seen[case] = str(answer.status_code) if answer.status_code in (401, 403, 500, 503) else "answers"
                if right[case] == "403":
                    assert route.role.value in refusal(answer, 403)

    assert seen == right
    assert {"401", "403", "answers"} == set(right.values())


def test_what_is_no_token_of_ours_is_none(served: str) -> None:
    wrong = (
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        f"Basic {TOKENS.admin}",
        TOKENS.admin,
        "Bearer the admin",
    )
    with Client(served) as client:
        for route in (route for route in ROUTES if route.role is not Role.ANYONE):
            for authorization in wrong:
                answer = ask(client, route, authorization)
                assert "bearer token" in refusal(answer, 401), (route.path, authorization)
                assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_it_listens_only_where_it_may(broker: FairBroker, pool: Database) -> None:
    fleet = monitored(broker, pool)
    for tokens in (Tokens(), Tokens(viewer="x"), Tokens(alertmanager="x")):
        for host in ("0.0.0.0", "::"):
            with pytest.raises(ConfigurationError, match="JOBFLEET_ADMIN_TOKEN"):
                AdminServer(fleet, tokens, host, 0)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {taken}: .*in use.*--port"):
            AdminServer(fleet, Tokens(), "127.0.0.1", taken)


def test_without_tokens_what_is_protected_is_open_to_nobody(broker: FairBroker, pool: Database) -> None:
    with AdminServer(monitored(broker, pool), Tokens(), "127.0.0.1", 0) as server, Client(server.url) as client:
        for route in (route for route in ROUTES if route.role is not Role.ANYONE):
            for authorization in (None, "Bearer", "Bearer x"):
                assert "JOBFLEET_ADMIN_TOKEN" in refusal(ask(client, route, authorization), 401)
        eventually(lambda: client.get("/healthz").status_code == 200)


def test_tokens_are_not_shown() -> None:
    shown = repr(TOKENS) + TOKENS.fingerprint(Role.ADMIN) + TOKENS.fingerprint(Role.VIEWER)

    assert not any(token in shown for token in (TOKENS.admin, TOKENS.viewer, TOKENS.alertmanager))
    assert TOKENS.fingerprint(Role.ADMIN) != TOKENS.fingerprint(Role.VIEWER)
    assert TOKENS.fingerprint(Role.ADMIN) == Tokens(viewer=TOKENS.admin).fingerprint(Role.VIEWER), "it names a token"
    assert TOKENS.fingerprint(Role.ANYONE) == ""
