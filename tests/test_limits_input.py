"""Bad input, fuzzed: one sentence that names the field, and nothing stored."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import Any

import pytest
from dramatiq import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from model_fleet import everything

from jobfleet.actors import actor
from jobfleet.broker import FairBroker
from jobfleet.broker.errors import InvalidPayload
from jobfleet.broker.limits import Limits
from jobfleet.middleware.idempotency import LONGEST_TTL, Idempotency
from jobfleet.middleware.tenant_id import TenantId
from jobfleet.middleware.tenant_limits import TenantLimits

FREE = Limits(plan="free", concurrency=2, per_minute=10_000_000, weight=1, max_backlog=10_000_000)
TENANT_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
#: Python has no text for a number of more than 4,300 digits.
HUGE = 10**5_000
#: Characters of an error: one sentence that a person reads, whatever was given.
SENTENCE_MAX = 400

fuzz = settings(
    max_examples=25,
    deadline=None,
    # Each example leaves the namespace as it was: that is what is tested.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Unshowable:
    """A stranger's object."""

    def __repr__(self) -> str:
        raise RuntimeError("no words for this")


class Text(str, Enum):  # noqa: UP042 (the newer StrEnum is shown as the text that it is)
    """Text that is shown as something else."""

    GOOD = "acme"
    BAD = "a:b"


def texts(**sizes: int) -> SearchStrategy[str]:
    return st.text(st.characters(codec="utf-8"), **sizes)


odd = st.one_of(
    st.booleans(),
    st.floats(),
    st.binary(max_size=8),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(texts(max_size=3), st.none(), max_size=2),
    st.sampled_from((Unshowable(), object(), ("a",), b"", -HUGE, HUGE, math.nan, math.inf, Unshowable)),
)
separators = st.tuples(texts(max_size=4), st.sampled_from(":{}*?[]@/\\ \n\t\0é"), texts(max_size=4)).map("".join)
bad_tenants = st.one_of(
    st.none(),
    odd,
    separators,
    texts(min_size=65, max_size=70),
    texts(max_size=6).filter(lambda text: not text or not set(text) <= TENANT_CHARACTERS),
    st.integers(10**64, 10**80),
    st.sampled_from(("", "x" * 100_000, "@system2", "acme\n", "\ud800", Text.BAD)),
)
bad_keys = st.one_of(
    odd,
    st.integers(),
    texts(min_size=256, max_size=260),
    st.sampled_from(("", "x" * 256, "x" * 100_000, "\ud800", "é" * 256, "a\nb", "a\tb", "\0", "a\u2028b")),
)
bad_priorities = st.one_of(
    st.none(), odd, texts(max_size=3), st.integers().filter(lambda n: not 1 <= n <= 9), st.sampled_from((5.0, "5"))
)
bad_delays = st.one_of(
    odd.filter(lambda value: not (type(value) is float and 0 <= value < 1e14)),
    st.integers(max_value=-1),
    st.sampled_from((-1, -0.001, 10**15, "1", timedelta(seconds=1))),
)
bad_on_limits = st.one_of(odd, st.integers(), texts(max_size=6).filter(lambda text: text not in ("reject", "delay")))
bad_ttls = st.one_of(
    odd.filter(lambda value: not (type(value) is float and 0.001 <= value <= LONGEST_TTL.total_seconds())),
    texts(max_size=4),
    st.sampled_from((0, -1, timedelta(0), timedelta(days=366), LONGEST_TTL.total_seconds() + 1)),
)
bad_names = st.one_of(
    odd,
    st.none(),
    st.integers(),
    texts(min_size=256, max_size=260),
    st.sampled_from(("", "a\nb", "a\tb", "\0", "\ud800")),
)

#: Field, bad values of it, and where it stands: in the arguments, in the options, in the message itself.
FIELDS: list[tuple[str, SearchStrategy[Any], str]] = [
    ("tenant_id", bad_tenants, "kwargs"),
    ("tenant_id", bad_tenants, "options"),
    ("idempotency_key", bad_keys, "options"),
    ("priority", bad_priorities, "options"),
    ("on_limit", bad_on_limits, "options"),
    ("idempotency_ttl", bad_ttls, "options"),
    ("message_id", bad_names, "message"),
    ("actor_name", bad_names, "message"),
    ("queue_name", st.one_of(bad_names, st.just("a b")), "message"),
]


@pytest.fixture
def strict(broker: FairBroker) -> FairBroker:
    """A broker with plans, limits and keys, in whose namespace a job waits."""
    broker.add_middleware(TenantLimits())
    broker.add_middleware(Idempotency())
    broker.limits.publish({"free": FREE}, {}, version=1)
    broker.enqueue(message())
    return broker


def message(where: str = "", field: str = "", value: object = None) -> Message[Any]:
    """A job that may be sent, but for one field of it."""
    parts: dict[str, Any] = {
        "kwargs": {"tenant_id": "acme", "n": 1},
        "options": {"idempotency_key": "order:17"},
        "message": {"queue_name": "default", "actor_name": "act"},
    }
    if where:
        parts[where][field] = value
    return Message(args=(), kwargs=parts["kwargs"], options=parts["options"], **parts["message"])


def assert_refused(broker: FairBroker, field: str, send: Callable[[], object]) -> None:
    """A send is refused in one sentence about its field, and every key is as before."""
    before = everything(broker.client, broker.keys.prefix)
    with pytest.raises(InvalidPayload) as refusal:
        send()
    assert refusal.value.field == field
    text = str(refusal.value)
    assert field in text and len(text) <= SENTENCE_MAX and "\n" not in text, text
    assert everything(broker.client, broker.keys.prefix) == before


@pytest.mark.parametrize(("field", "values", "where"), FIELDS, ids=[f"{field}-{where}" for field, _, where in FIELDS])
def test_a_wrong_field_is_named_and_nothing_is_stored(
    field: str, values: SearchStrategy[Any], where: str, strict: FairBroker
) -> None:
    @fuzz
    @given(values)
    def refuse(value: object) -> None:
        assert_refused(strict, field, lambda: strict.enqueue(message(where, field, value)))

    refuse()


@fuzz
@given(bad_delays)
def test_a_wrong_delay_is_named_and_nothing_is_stored(strict: FairBroker, delay: Any) -> None:
    assert_refused(strict, "delay", lambda: strict.enqueue(message(), delay=delay))


@pytest.mark.parametrize("more", [1, 1_000_000])
def test_a_payload_over_the_limit_is_refused_whole(strict: FairBroker, more: int) -> None:
    big = message("kwargs", "ballast", "x" * (256 * 1024 - 400))
    spare = 256 * 1024 - len(big.encode())
    assert 0 < spare < 400

    def send(extra: int) -> Message[Any]:
        options = {"tenant_id": "acme"}
        return strict.enqueue(
            big.copy(kwargs={**big.kwargs, "ballast": big.kwargs["ballast"] + "x" * extra}, options=options)
        )

    before = everything(strict.client, strict.keys.prefix)
    with pytest.raises(InvalidPayload, match=r"the message has \d+ bytes; at most 262144 are allowed"):
        send(spare + more)
    assert everything(strict.client, strict.keys.prefix) == before


@fuzz
@given(st.lists(st.sampled_from(FIELDS).flatmap(lambda f: st.tuples(st.just(f), f[1])), min_size=1, max_size=4))
def test_in_a_bulk_send_the_wrong_ones_are_refused_and_the_others_sent(
    strict: FairBroker, wrong: list[tuple[tuple[str, Any, str], object]]
) -> None:
    good = [message("options", "idempotency_key", None) for _ in range(len(wrong) + 1)]
    bad = [message(where, field, value) for (field, _, where), value in wrong]
    mixed = [each for pair in zip(good, bad, strict=False) for each in pair] + good[-1:]
    before = strict.client.hlen(strict.keys.jobs)

    outcomes = strict.enqueue_many(mixed)

    assert outcomes[::2] == good
    fields = [outcome.field for outcome in outcomes[1::2] if isinstance(outcome, InvalidPayload)]
    assert fields == [field for (field, *_), _ in wrong]
    assert strict.client.hlen(strict.keys.jobs) == before + len(good)


@pytest.mark.parametrize("field", ["tenant_id", "idempotency_key", "priority", "on_limit", "idempotency_ttl"])
def test_an_actor_refuses_it_as_well(field: str, strict: FairBroker) -> None:
    @actor(broker=strict)
    def job(*, tenant_id: TenantId) -> None: ...

    def send(value: Any) -> object:
        if field == "tenant_id":
            return job.send(tenant_id=value)
        return job.send_with_options(kwargs={"tenant_id": "acme"}, **{"idempotency_key": "order:18", field: value})

    values = {name: values for name, values, _ in FIELDS}[field]

    @fuzz
    @given(values)
    def refuse(value: object) -> None:
        if value is not None or field == "tenant_id":  # not given is allowed
            assert_refused(strict, field, lambda: send(value))

    refuse()


def test_a_tenant_that_is_absent_is_refused_by_an_actor(strict: FairBroker) -> None:
    @actor(broker=strict)
    def job(*, tenant_id: TenantId) -> None: ...

    assert_refused(strict, "tenant_id", job.send)  # type: ignore[arg-type]


def test_an_id_that_is_text_of_another_type_is_that_text(strict: FairBroker) -> None:
    assert strict.enqueue(message("kwargs", "tenant_id", Text.GOOD)).options["duplicate"], "of the job of tenant acme"
    strict.enqueue(message("options", "idempotency_key", None).copy(options={"tenant_id": Text.GOOD}))
    assert strict.client.zcard(strict.keys.line("default", "acme")) == 2
