from __future__ import annotations

from typing import Any

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker

from jobfleet.broker.errors import InvalidPayload
from jobfleet.middleware.job_log import JobLog


@pytest.fixture
def stub_broker() -> StubBroker:
    return StubBroker(middleware=[JobLog()])


def test_names_of_redacted_arguments_travel_with_the_message(stub_broker: StubBroker) -> None:
    # Given an actor that names two secrets, on a broker without any server
    @dramatiq.actor(broker=stub_broker, redact=["password", "token"])
    def create_user(name: str, password: str, token: str = "") -> None: ...

    # When a job is sent by name, and another by position
    by_name = create_user.send(name="ada", password="sesame")
    by_position = create_user.send("ada", "sesame")

    # Then both messages say what the log must not show
    assert by_name.options["redact"] == ["password", "token"]
    assert by_position.options["redact"] == ["password", "token", 1]


def test_an_actor_without_secrets_stamps_nothing(stub_broker: StubBroker) -> None:
    @dramatiq.actor(broker=stub_broker)
    def ping() -> None: ...

    assert "redact" not in ping.send().options


def test_a_name_that_is_no_argument_is_refused_at_declaration(stub_broker: StubBroker) -> None:
    def create_user(name: str, password: str) -> None: ...

    with pytest.raises(InvalidPayload, match="did you mean password") as caught:
        dramatiq.actor(broker=stub_broker, redact=["pasword"])(create_user)
    assert caught.value.field == "redact"
    with pytest.raises(InvalidPayload, match="must be names"):
        dramatiq.actor(broker=stub_broker, redact=[7])(create_user)


def test_an_actor_that_takes_any_keyword_may_redact_any(stub_broker: StubBroker) -> None:
    @dramatiq.actor(broker=stub_broker, redact="secret")
    def store(**values: Any) -> None: ...

    assert store.send(secret="sesame").options["redact"] == ["secret"]
