"""The monitor's HTTP does what its OpenAPI document says, whatever it is asked; schemathesis thinks of what to ask."""

from __future__ import annotations

import re
from typing import Any

import dramatiq
import pytest
import schemathesis
from admin_site import TOKENS
from command import SmallFleet
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as asking
from hypothesis import strategies as st
from requests import Session
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from jobfleet.broker import FairBroker
from jobfleet.middleware.database import Database
from jobfleet.monitoring.admin.openapi import document
from jobfleet.monitoring.admin.routes import ROUTES

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
#: What any operation may be asked, and what it must refuse.
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)

Known = dict[str, list[str]]


@pytest.fixture
def known(broker: FairBroker, pool: Database) -> Known:
    """What there is in the fleet: parts of paths that now and then hit something."""
    fleet = SmallFleet(broker, pool)

    @dramatiq.actor(broker=broker, queue_name="zoo")
    def feed(**_: Any) -> None: ...

    with fleet.running():
        done = fleet.good.send(tenant_id=1, secret="sesame").message_id
        dead = fleet.broken.send(tenant_id=2, number=1).message_id
    waits, later = feed.send(tenant_id="acme").message_id, feed.send_with_options(delay=60_000).message_id
    return {"queue": ["email", "zoo"], "actor": ["feed"], "tenant_id": ["acme"], "job_id": [done, dead, waits, later]}


def test_what_is_asked_is_answered_as_the_document_says(served: str, known: Known) -> None:
    ask_everything(served, known, examples=8, derandomize=True)


@pytest.mark.soak
def test_much_that_is_asked_is_answered_as_the_document_says(served: str, known: Known) -> None:
    ask_everything(served, known, examples=300, derandomize=False)


def ask_everything(served: str, known: Known, *, examples: int, derandomize: bool) -> None:
    schema = schemathesis.openapi.from_dict(document(ROUTES))
    profile = asking(
        max_examples=examples,
        derandomize=derandomize,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    asked, failures = [], list[Exception]()
    with Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {TOKENS.admin}"
        for result in schema.get_all_operations():
            assert isinstance(result, Ok)
            operation = result.ok()
            asked.append((operation.method.upper(), operation.path))

            @profile
            @given(case=cases(operation, known))
            def ask(case: Case[Any]) -> None:
                case.call_and_validate(base_url=served, session=session, checks=CHECKS, timeout=30)

            try:
                ask()
            except Exception as failure:  # noqa: BLE001 (the others are asked, too)
                failures.append(failure)
    assert sorted(asked) == sorted((route.method, route.path) for route in ROUTES)
    if failures:
        raise ExceptionGroup("not as the document says", failures)


def cases(operation: APIOperation[Any, Any, Any, Any], known: Known) -> st.SearchStrategy[Case[Any]]:
    """Requests that are right and requests that are wrong, of anything at all and of what there is."""
    parts = re.findall(r"{(\w+)}", operation.path)
    fixed = [None, *({part: value} for part in parts for value in known[part])]
    return st.one_of(
        [operation.as_strategy(generation_mode=mode, path_parameters=path) for mode in MODES for path in fixed]
    )
