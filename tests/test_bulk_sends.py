"""A bulk send that breaks off says what became of each message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from dramatiq import Broker, Message, Middleware
from dramatiq.errors import ConnectionClosed
from faults_proxy import Proxy

from jobfleet.broker import FairBroker, scripts
from jobfleet.broker.admission import CHUNK
from jobfleet.broker.errors import BacklogFull, BulkSendBroken, InvalidPayload


@pytest.fixture
def proxy(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    monkeypatch.setattr(scripts, "PAUSE_SECONDS", 0.0)
    with Proxy(unquote(urlsplit(redis_url).path)) as proxy:
        proxy.connect()
        yield proxy


class CutsAt(Middleware):
    """A server that goes away while a certain message is on its way."""

    def __init__(self, proxy: Proxy, message_id: str) -> None:
        self.proxy, self.message_id = proxy, message_id

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        if message.message_id == self.message_id:
            self.proxy.cut()


def test_of_a_bulk_send_that_breaks_off_each_message_says_whether_it_was_accepted(
    broker: FairBroker, proxy: Proxy, namespace: str
) -> None:
    # Given a bulk send of five round trips, with one message that is refused, in whose fourth the server goes away
    count = 5 * CHUNK
    messages = [Message[Any]("default", "act", (), {}, {}, f"m{n}") for n in range(count)]
    messages[7] = messages[7].copy(options={"priority": 0})
    through = FairBroker(proxy.url, namespace=namespace, middleware=[CutsAt(proxy, f"m{4 * CHUNK - 1}")])

    # When it is made
    with pytest.raises(ConnectionClosed, match="unreachable") as broken:
        through.enqueue_many(messages)

    # Then what was accepted is told, and what is not known can be sent again
    assert isinstance(broken.value, BulkSendBroken)
    outcomes = broken.value.outcomes
    assert len(outcomes) == count
    assert isinstance(outcomes[7], InvalidPayload)
    unknown = [m for m, outcome in zip(messages, outcomes, strict=True) if isinstance(outcome, ConnectionClosed)]
    accepted = [outcome for outcome in outcomes if isinstance(outcome, Message)]
    assert len(accepted) >= 2 * CHUNK - 1 and len(unknown) >= 2 * CHUNK
    assert accepted + unknown == [message for n, message in enumerate(messages) if n != 7]
    assert broker.stats(["default"])[0].waiting in (len(accepted), len(accepted) + CHUNK)
    proxy.connect()
    through.middleware.clear()
    assert through.enqueue_many(unknown) == unknown
    assert broker.stats(["default"])[0].waiting == count - 1
    through.close()
    assert broker.audit().clean, str(broker.audit())


def test_a_server_without_memory_refuses_each_message_of_a_bulk_send(broker: FairBroker) -> None:
    messages = [Message[Any]("default", "act", (), {}, {}, f"m{n}") for n in range(2 * CHUNK)]
    broker.client.config_set("maxmemory", 1)
    try:
        outcomes = broker.enqueue_many(messages)
    finally:
        broker.client.config_set("maxmemory", 0)
    assert [type(outcome) for outcome in outcomes] == [BacklogFull] * len(messages)
