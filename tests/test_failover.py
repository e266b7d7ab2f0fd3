"""A server that becomes a replica while everybody is connected to it: nobody goes on talking to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dramatiq
import pytest
import redis
from conftest import start_or_skip
from dramatiq import Worker
from dramatiq.errors import ConnectionClosed
from faults_proxy import Proxy
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.cli.embedded_redis import EmbeddedRedis
from jobfleet.cli.free_port import free_port


class Server:
    """A server that clients reach by its socket and replicas by its port."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.port = free_port()
        config = {"appendonly": "no", "repl-diskless-sync-delay": "0", "port": str(self.port), "bind": "127.0.0.1"}
        server = EmbeddedRedis(folder, config=config)
        stack.callback(server.remove)
        start_or_skip(server)
        self.socket = unquote(urlsplit(server.url).path)
        self.client = stack.enter_context(redis.Redis.from_url(server.url))

    def follow(self, primary: Server | None) -> None:
        where = ("127.0.0.1", primary.port) if primary else ("NO", "ONE")
        self.client.execute_command("REPLICAOF", *where)


@dataclass
class Pair:
    """A primary with its replica, and the address that stands for whoever is the primary."""

    first: Server
    second: Server
    proxy: Proxy

    def fail_over(self) -> None:
        """Let them change places and the address follow; no connection is closed."""
        assert self.first.client.execute_command("WAIT", 1, 10_000) == 1
        self.second.follow(None)
        self.first.follow(self.second)
        self.proxy.point_to(self.second.socket)


@pytest.fixture
def pair(servers_directory: Path, namespace: str) -> Iterator[Pair]:
    with ExitStack() as stack:
        first, second = (Server(servers_directory / f"{namespace}-{name}", stack) for name in ("first", "second"))
        second.follow(first)
        eventually(lambda: second.client.info("replication")["master_link_status"] == "up")
        yield Pair(first, second, stack.enter_context(Proxy(first.socket)))


@pytest.fixture
def broker(pair: Pair, namespace: str) -> Iterator[FairBroker]:
    broker = FairBroker(pair.proxy.url, namespace=namespace)
    yield broker
    broker.close()


def test_senders_and_workers_go_on_with_the_new_primary(pair: Pair, broker: FairBroker) -> None:
    # Given a sender and a worker that are connected to the primary, and a job that runs
    gate = Path(pair.first.socket).parent / "gate"

    @dramatiq.actor(broker=broker)
    def act() -> None: ...

    @dramatiq.actor(broker=broker)
    def waits() -> None:
        eventually(gate.exists, 60)

    worker = Worker(broker, worker_threads=2, worker_timeout=100)
    worker.start()
    try:
        sent = [act.send(), waits.send()]
        eventually(lambda: broker.get(sent[0].message_id) is None)
        eventually(lambda: broker.stats(["default"])[0].active == 1)

        # When it becomes the replica of its replica
        pair.fail_over()
        sent.append(act.send())

        # Then what was sent stands in the new one, and the worker runs and settles it there
        eventually(lambda: broker.get(sent[2].message_id) is None)
        gate.touch()
        eventually(lambda: broker.get(sent[1].message_id) is None)
        broker.pause("default")
        broker.resume("default")
    finally:
        worker.stop()
    assert broker.audit().clean, str(broker.audit())
    assert pair.second.client.hlen(broker.keys.jobs) == 0


def test_without_a_primary_a_send_is_refused_as_when_the_server_is_away(pair: Pair, broker: FairBroker) -> None:
    @dramatiq.actor(broker=broker)
    def act() -> None: ...

    act.send()
    pair.first.follow(pair.second)
    with pytest.raises(ConnectionClosed, match="is unreachable: it is a replica now"):
        act.send()
    with pytest.raises(ConnectionClosed, match="is unreachable: it is a replica now"):
        broker.pause("default")
    # Once it is a primary again, all goes on, with what it had unless it has copied the other one meanwhile
    pair.first.follow(None)
    message = act.send()
    broker.pause("default")
    assert broker.client.hexists(broker.keys.jobs, message.message_id)
