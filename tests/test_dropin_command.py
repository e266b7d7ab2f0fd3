"""Dramatiq's own command runs an application: several processes, all of its signals, its metrics."""

from __future__ import annotations

import os
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from dramatiq import Message
from dropin_brokers import BROKERS, application, died, drained
from processes import Process
from wait import eventually

HERE = Path(__file__).parent


@pytest.fixture(params=BROKERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sender(kind: str, redis_url: str, namespace: str) -> Iterator[Any]:
    with application(kind, redis_url, namespace) as (broker, _):
        yield broker


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "record"
    path.touch()
    return path


@pytest.fixture
def environment(kind: str, record: Path, tmp_path: Path, fleet_environment: dict[str, str]) -> dict[str, str]:
    return fleet_environment | {
        "BROKER": kind,
        "RECORD_FILE": str(record),
        "PYTHONPATH": str(HERE),
        "dramatiq_prom_db": str(tmp_path / "prometheus"),
    }


def send(broker: Any, actor: str, *args: object) -> str:
    message: Message[Any] = Message(
        queue_name="slow" if actor == "slow" else "work", actor_name=actor, args=args, kwargs={}, options={}
    )
    broker.enqueue(message)
    return message.message_id


def lines(record: Path) -> list[list[str]]:
    return [line.split() for line in record.read_text().splitlines()]


def test_two_processes_share_the_work_and_finish_what_runs_at_sigterm(
    sender: Any, environment: dict[str, str], record: Path
) -> None:
    with Process(["dramatiq", "dropin_application", "-p", "2", "-t", "2"], environment) as process:
        eventually(lambda: process.errors.count("ready for action") == 2)
        # More than one process prefetches.
        for number in range(12):
            send(sender, "slow", number, 0.5)
        eventually(lambda: len({line[2] for line in lines(record)}) == 2)
        for number in range(100):
            send(sender, "work", number)
        eventually(lambda: drained(sender, "work") and drained(sender, "slow"))
        send(sender, "slow", 12, 1.5)
        eventually(lambda: ["slow", "12"] in [line[:2] for line in lines(record)])
        process.terminate()
        assert process.wait(30).status == 0
    assert Counter(line[0] for line in lines(record)) == {"work": 100, "slow": 13, "slept": 13}
    assert drained(sender, "slow")


def test_sighup_replaces_spawned_processes_and_loses_nothing(
    sender: Any, environment: dict[str, str], record: Path
) -> None:
    with Process(["dramatiq", "dropin_application", "--use-spawn", "-p", "1", "-t", "2"], environment) as process:
        send(sender, "slow", 1, 0.3)
        eventually(lambda: len(lines(record)) == 1)
        os.kill(process.pid, signal.SIGHUP)
        for number in range(20):
            send(sender, "work", number)
        eventually(lambda: drained(sender, "work") and drained(sender, "slow"))
        eventually(lambda: process.errors.count("ready for action") == 2)
        send(sender, "work", 20)
        eventually(lambda: len({line[2] for line in lines(record)}) == 2)
        assert process.running
        process.terminate()
        assert process.wait(30).status == 0
    runs = Counter((line[0], line[1]) for line in lines(record))
    assert runs == Counter([("slow", "1"), ("slept", "1"), *(("work", str(number)) for number in range(21))])


def test_dramatiqs_prometheus_middleware_counts_what_a_worker_of_named_queues_runs(
    sender: Any, environment: dict[str, str]
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment |= {"dramatiq_prom_host": "127.0.0.1", "dramatiq_prom_port": str(port)}
    with Process(["dramatiq", "dropin_application", "-p", "2", "-t", "2", "--queues", "work"], environment) as process:
        send(sender, "slow", 1, 0.0)
        dead = send(sender, "work", 1, 2)
        send(sender, "work", 2, 1)
        send(sender, "work", 3)
        eventually(lambda: drained(sender, "work") and died(sender, "work") == {dead})
        labels = '{actor_name="work",queue_name="work"}'
        counted = {
            "dramatiq_messages_total": 5.0,
            "dramatiq_message_errors_total": 3.0,
            "dramatiq_message_rejects_total": 1.0,
            "dramatiq_message_duration_milliseconds_count": 5.0,
        }
        expected = [f"{name}{labels} {value}" for name, value in counted.items()]

        def told() -> bool:
            try:
                text = urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
            except OSError:
                return False
            assert [line for line in expected if line not in text] == []
            assert f"dramatiq_message_retries_total{labels}" in text
            return True

        process.says("_run_exposition_server' is ready")
        eventually(told)
        process.terminate()
        assert process.wait(30).status == 0
    assert not drained(sender, "slow")
