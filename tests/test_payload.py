"""Arguments are checked in the caller, and what is wrong is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from jobfleet.broker import SYSTEM
from jobfleet.broker.errors import ConfigurationError, InvalidPayload
from jobfleet.middleware.payload import payload_of, validate_arguments
from jobfleet.middleware.tenant_id import TenantId, tenant_text

if TYPE_CHECKING:
    from nowhere import Missing  # type: ignore[import-not-found]


class Size(Enum):
    SMALL = "s"


class Line(BaseModel):
    sku: str = Field(alias="SKU")
    amount: Decimal


def order(*, tenant_id: TenantId, number: int, note: str = "", lines: tuple[Line, ...] = ()) -> None:
    """A job's function."""


def valid(**values: Any) -> dict[str, Any]:
    return validate_arguments(order, (), {"tenant_id": 42, "number": 1, **values})[1]


def refusal(fn: Any, **values: Any) -> InvalidPayload:
    with pytest.raises(InvalidPayload) as caught:
        validate_arguments(fn, (), values)
    return caught.value


@pytest.mark.parametrize(
    ("given_id", "kept"),
    [(42, "42"), (0, "0"), ("acme", "acme"), ("a.b_c-D", "a.b_c-D"), ("x" * 64, "x" * 64), (SYSTEM, SYSTEM)],
)
def test_a_tenant_is_kept_as_text(given_id: object, kept: str) -> None:
    assert valid(tenant_id=given_id)["tenant_id"] == kept


@pytest.mark.parametrize(
    "wrong",
    [None, "", True, False, 1.5, float("nan"), "a b", "a/b", "a\n", "ä", "x" * 65, "@other", 10**70, b"a", [], {}],
)
def test_what_is_no_tenant_is_refused(wrong: object) -> None:
    error = refusal(order, tenant_id=wrong, number=1)

    assert error.field == "tenant_id"
    assert "allowed are a whole number or 1 to 64 of" in str(error)


def test_the_rule_of_tenants_holds_whatever_the_function_says() -> None:
    def loose(*, tenant_id: Any) -> None: ...

    def whole(*, tenant_id: int) -> None: ...

    assert refusal(loose, tenant_id=None).field == "tenant_id"
    assert validate_arguments(whole, (), {"tenant_id": 7}) == ((), {"tenant_id": "7"})
    assert payload_of(whole).typed({"tenant_id": "7"}) == {"tenant_id": 7}
    assert refusal(whole, tenant_id="acme").field == "tenant_id"


def test_a_missing_argument_is_named() -> None:
    error = refusal(order, tenant_id=42)

    assert (error.field, str(error)) == ("number", "order needs the argument number")


def test_an_unknown_argument_is_met_with_the_one_that_was_meant() -> None:
    error = refusal(order, tenant_id=42, numbr=1)

    assert (error.field, str(error)) == ("numbr", "order has no argument numbr; did you mean number?")


def test_an_option_among_the_arguments_is_shown_its_place() -> None:
    error = refusal(order, tenant_id=42, number=1, idempotency_key="order:17")

    assert "it is an option: order.with_options(idempotency_key=...)" in str(error)


def test_positional_arguments_are_refused() -> None:
    with pytest.raises(InvalidPayload, match="order takes its arguments by name, such as tenant_id="):
        validate_arguments(order, (42, 1), {})


def test_a_wrong_value_is_shown_with_its_place_inside_the_argument() -> None:
    error = refusal(order, tenant_id=42, number=1, lines=[{"SKU": "a", "amount": "1"}, {"SKU": 5, "amount": "1"}])

    assert error.field == "lines"
    assert str(error) == "order: lines[1].SKU is 5; input should be a valid string"


def test_a_long_value_is_not_repeated_in_the_error() -> None:
    assert "xxx" not in str(refusal(order, tenant_id=42, number="x" * 100))


def test_a_field_that_an_item_lacks_is_named() -> None:
    assert str(refusal(order, tenant_id=1, number=1, lines=[{"SKU": "a"}])) == "order: lines[0].amount is missing"


def test_values_travel_as_json_and_arrive_as_annotated() -> None:
    def everything(
        *,
        tenant_id: TenantId,
        day: date,
        at: datetime,
        lasts: timedelta,
        price: Decimal,
        key: UUID,
        size: Size,
        raw: bytes,
        tags: set[str],
        line: Line,
    ) -> None: ...

    values = {
        "tenant_id": "acme",
        "day": date(2026, 3, 1),
        "at": datetime(2026, 3, 1, 12, tzinfo=UTC),
        "lasts": timedelta(minutes=5),
        "price": Decimal("1.10"),
        "key": UUID(int=7),
        "size": Size.SMALL,
        "raw": b"abc",
        "tags": {"a"},
        "line": Line(SKU="x", amount=Decimal("0.5")),
    }

    _, sent = validate_arguments(everything, (), values)
    arrived = json.loads(json.dumps(sent))

    assert arrived == sent
    assert payload_of(everything).typed(arrived) == values


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), "\ud800", object(), {"a": object()}, {1, float("nan")}])
def test_what_json_cannot_hold_is_refused(wrong: object) -> None:
    def anything(*, tenant_id: TenantId, data: Any) -> None: ...

    error = refusal(anything, tenant_id=1, data=wrong)

    assert error.field == "data"
    assert "cannot be written as JSON" in str(error)


def test_a_value_that_contains_itself_is_refused() -> None:
    def anything(*, tenant_id: TenantId, data: Any) -> None: ...

    loop: list[Any] = []
    loop.append(loop)

    assert refusal(anything, tenant_id=1, data=loop).field == "data"


def test_other_arguments_are_taken_where_the_function_takes_them() -> None:
    def open_ended(*, tenant_id: TenantId, **rest: Any) -> None: ...

    assert validate_arguments(open_ended, (), {"tenant_id": 1, "x": {"y": 2}}) == (
        (),
        {"tenant_id": "1", "x": {"y": 2}},
    )
    assert refusal(open_ended, tenant_id=1, x=object()).field == "x"


def test_an_argument_that_a_pipeline_fills_in_may_be_missing() -> None:
    assert validate_arguments(order, (), {"tenant_id": 1}, without="number") == ((), {"tenant_id": "1"})


def test_an_annotation_that_leads_nowhere_is_a_clear_error() -> None:
    def lost(*, tenant_id: TenantId, thing: Missing) -> None: ...

    with pytest.raises(ConfigurationError, match=r"lost: an annotation cannot be used for a payload: .*Missing"):
        validate_arguments(lost, (), {"tenant_id": 1})


def test_a_type_that_no_payload_can_hold_is_a_clear_error() -> None:
    class Socket: ...

    def odd(*, tenant_id: TenantId, thing: Socket) -> None: ...

    odd.__annotations__["thing"] = Socket
    with pytest.raises(ConfigurationError, match="odd: an annotation cannot be used for a payload"):
        validate_arguments(odd, (), {"tenant_id": 1})


def outcome(values: Mapping[str, Any]) -> tuple[dict[str, Any], InvalidPayload | None]:
    try:
        return validate_arguments(order, (), values)[1], None
    except InvalidPayload as error:
        return {}, error


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(["tenant_id", "number", "note", "lines", "other"]), json_values))
def test_whatever_is_given_is_either_refused_by_name_or_fit_to_travel(values: Mapping[str, Any]) -> None:
    sent, refused = outcome(values)

    if refused:
        assert refused.field in {"tenant_id", "number", "note", "lines", "other"}
    else:
        assert json.loads(json.dumps(sent, allow_nan=False)) == sent
        assert outcome(sent) == (sent, None)


@settings(deadline=None)
@given(st.text())
def test_a_text_is_a_tenant_or_refused_and_never_changed(text: str) -> None:
    try:
        assert tenant_text(text) == text
    except ValueError:
        assert not text or len(text) > 64 or not all(c.isascii() and (c.isalnum() or c in "._-") for c in text)
