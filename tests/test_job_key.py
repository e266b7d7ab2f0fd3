"""A key from content: the same content has the same key, whoever wrote it down and how."""

from __future__ import annotations

import enum
import hashlib
import json
import math
import uuid
from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobfleet.broker import SYSTEM
from jobfleet.broker.errors import InvalidPayload
from jobfleet.middleware import generate_job_id

WELCOME = {"to": "user@example.com", "subject": "Welcome!"}

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
)


class Colour(enum.StrEnum):
    RED = "red"


def test_the_key_is_type_tenant_and_the_hash_of_the_canonical_json() -> None:
    written = b'{"subject":"Welcome!","to":"user@example.com"}'

    assert generate_job_id("email", 42, WELCOME) == f"email:42:{hashlib.sha256(written).hexdigest()}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": {"x": 1, "y": [1]}}, OrderedDict(a=OrderedDict(y=(1,), x=1))),
        ({"amount": 1}, {"amount": 1.0}),
        ([0], [-0.0]),
        ([2**80], [float(2**80)]),
        ({"colour": "red"}, {"colour": Colour.RED}),
    ],
)
def test_what_is_the_same_as_json_has_the_same_key(one: Any, other: Any) -> None:
    assert generate_job_id("email", 42, one) == generate_job_id("email", "42", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, "1"),
        (1, True),
        (0, False),
        (0, None),
        ([], {}),
        ([1, 2], [2, 1]),
        ({"a": None}, {}),
        ("é", "e\u0301"),
        (0.1, 0.2),
        (2**53, 2**53 + 1),
        ({"a": "b,c:d"}, {"a": "b", "c": "d"}),
    ],
)
def test_what_differs_has_another_key(one: Any, other: Any) -> None:
    assert generate_job_id("email", 42, one) != generate_job_id("email", 42, other)


def test_type_and_tenant_belong_to_the_key() -> None:
    keys = {generate_job_id(kind, tenant, WELCOME) for kind in ("email", "mail") for tenant in (1, 2, "acme", SYSTEM)}

    assert len(keys) == 8


def test_the_longest_key_has_room_in_every_column() -> None:
    key = generate_job_id("t" * 100, "T" * 64, {"data": "x" * 100_000})

    assert len(key) == 230


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"when": date(2026, 3, 1)}, "data.when is a date, which JSON cannot hold; give it as text"),
        ({"at": [datetime.now(UTC)]}, r"data.at\[0\] is a datetime"),
        ({"in": timedelta(1)}, r"data.in is a timedelta, .*total_seconds\(\)"),
        ({"price": Decimal("1.0")}, r"data.price is a Decimal, .*str\(value\)"),
        ({"id": uuid.uuid4()}, "data.id is a UUID"),
        ({"tags": {"a", "b"}}, r"data.tags is a set, .*sorted\(value\)"),
        ({"raw": b"x"}, "data.raw is a bytes"),
        ({"x": [1, {"y": math.nan}]}, r"data.x\[1\].y is nan; JSON has finite numbers only"),
        ([-math.inf], r"data\[0\] is -inf"),
        ({"x": {1: "one"}}, "data.x has the name 1; names in JSON are text"),
        ({"x": "\ud800"}, "data.x holds half of a surrogate pair"),
        ({"\ud800": 1}, "a name in data holds half of a surrogate pair"),
        ({"x": 10**5_000}, "data.x is a whole number of more than 4,300 digits"),
        (object(), "data is a object, which JSON cannot hold; allowed are text, numbers"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_place(data: Any, sentence: str) -> None:
    with pytest.raises(InvalidPayload, match=sentence) as refused:
        generate_job_id("email", 42, data)
    assert refused.value.field == "data"


def test_data_that_contains_itself_is_refused() -> None:
    data: list[Any] = []
    data.append(data)

    with pytest.raises(InvalidPayload, match="nested more than 100 levels"):
        generate_job_id("email", 42, data)


@pytest.mark.parametrize("kind", ["", "a:b", "a b", "ä", "t" * 101, "line\n", None, 7])
def test_a_type_that_is_none_is_refused(kind: Any) -> None:
    with pytest.raises(InvalidPayload, match="type is .*; allowed are 1 to 100 of") as refused:
        generate_job_id(kind, 42, WELCOME)
    assert refused.value.field == "type"


@pytest.mark.parametrize("tenant", ["", "a:b", None, True, 1.5, "x" * 65, "x" * 1_000_000, "@other", b"42"])
def test_a_tenant_that_is_none_is_refused_in_one_short_sentence(tenant: Any) -> None:
    with pytest.raises(InvalidPayload, match="tenant_id is .*; allowed are a whole number or") as refused:
        generate_job_id("email", tenant, WELCOME)
    assert refused.value.field == "tenant_id"
    assert len(str(refused.value)) < 300


@given(PLAIN)
def test_a_key_survives_a_journey_through_json(data: Any) -> None:
    key = generate_job_id("email", 42, data)

    assert generate_job_id("email", 42, json.loads(json.dumps(data))) == key
    assert len(key) == len("email:42:") + 64
