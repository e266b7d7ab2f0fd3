"""An actor's own effect happens once in its job, whatever happens to the run, the worker or the database."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dramatiq
import pytest
from databases import open_again, shut
from dramatiq import Message
from dramatiq.middleware import Interrupt
from faults_fleet import PATIENCE, FaultFleet, fault_fleet
from job_context import running
from journal_events import recording, rows
from own_fleet import own_fleet
from wait import eventually, present
from worker_threads import StartWorker

from jobfleet.broker import FairBroker
from jobfleet.broker.errors import ConfigurationError, PermanentFailure, Unavailable
from jobfleet.broker.lease import current_lease
from jobfleet.broker.settings import settings
from jobfleet.middleware import effect_guard, once_per_job, once_per_job_async, resolve_effect
from jobfleet.middleware.database import database

Gateway = list[str]


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str, namespace: str) -> Iterator[None]:
    """This process's database is this test's."""
    with own_fleet(monkeypatch, DATABASE_URL=database_url, REDIS_URL=redis_url, JOBFLEET_NAMESPACE=namespace):
        yield


@pytest.fixture
def gateway() -> Gateway:
    """Where cards are charged."""
    return []


def charge(gateway: Gateway, result: Any = "ok", error: BaseException | None = None) -> Callable[[], Any]:
    def charge() -> Any:
        gateway.append("charged")
        if error is not None:
            raise error
        return result

    return charge


def effects(database_url: str) -> list[tuple[str, str, Any]]:
    found = rows(database_url, "SELECT name, status, result FROM effects ORDER BY name")
    return [(row["name"], row["status"], row["result"]) for row in found]


@pytest.mark.usefixtures("own")
def test_a_later_run_gets_what_the_first_one_got(gateway: Gateway, database_url: str) -> None:
    with running(job_id="job-1", run=1):
        first = once_per_job("charge", charge(gateway, {"id": 7, "lines": (1, 2)}), on_doubt="fail")
    with running(job_id="job-1", run=2):
        second = once_per_job("charge", charge(gateway, {"id": 8}), on_doubt="fail")

    assert first == second == {"id": 7, "lines": [1, 2]}
    assert gateway == ["charged"]
    assert effects(database_url) == [("charge", "done", {"id": 7, "lines": [1, 2]})]


@pytest.mark.usefixtures("own")
def test_each_name_and_each_job_has_its_own_effect(gateway: Gateway) -> None:
    for job_id in ("job-1", "job-2"):
        with running(job_id=job_id):
            for line in range(3):
                once_per_job(f"charge:{line}", charge(gateway), on_doubt="fail")

    assert len(gateway) == 6


@pytest.mark.usefixtures("own")
def test_one_name_for_two_effects_is_found_in_the_first_run(gateway: Gateway) -> None:
    with running(job_id="job-1"):
        once_per_job("charge", charge(gateway), on_doubt="repeat")
        with pytest.raises(PermanentFailure, match="this run has two effects named 'charge'"):
            once_per_job("charge", charge(gateway), on_doubt="repeat")


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("error", [TimeoutError("no answer"), Interrupt()])
def test_an_error_leaves_a_doubt_and_the_policy_ends_it(
    gateway: Gateway, database_url: str, error: BaseException
) -> None:
    # Given three effects of which nobody knows whether they happened
    for name in ("fail", "repeat", "skip"):
        with running(job_id="job-1", run=1), pytest.raises(type(error)):
            once_per_job(name, charge(gateway, error=error), on_doubt="fail")
    gateway.clear()

    # When the job runs again
    with running(job_id="job-1", run=2):
        repeated = once_per_job("repeat", charge(gateway), on_doubt="repeat")
        skipped = once_per_job("skip", charge(gateway), on_doubt="skip")
        with pytest.raises(PermanentFailure, match="in the middle of the effect 'fail'; nobody knows whether"):
            once_per_job("fail", charge(gateway), on_doubt="fail")

    # Then each does what it was told to
    assert (repeated, skipped, gateway) == ("ok", None, ["charged"])
    assert effects(database_url) == [("fail", "in_doubt", None), ("repeat", "done", "ok"), ("skip", "in_doubt", None)]


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("error", [Unavailable("away"), PermanentFailure("no such card"), KeyError("declined")])
def test_an_error_that_says_that_nothing_happened_lets_the_next_run_begin_anew(
    gateway: Gateway, error: Exception
) -> None:
    with running(job_id="job-1", run=1), pytest.raises(type(error)):
        once_per_job("charge", charge(gateway, error=error), on_doubt="fail", not_done=(KeyError,))
    with running(job_id="job-1", run=2):
        assert once_per_job("charge", charge(gateway), on_doubt="fail", not_done=(KeyError,)) == "ok"


@pytest.mark.usefixtures("own")
def test_such_an_error_does_not_end_the_doubt_of_an_earlier_run(gateway: Gateway, database_url: str) -> None:
    with running(job_id="job-1", run=1), pytest.raises(TimeoutError):
        once_per_job("charge", charge(gateway, error=TimeoutError()), on_doubt="repeat")
    with running(job_id="job-1", run=2), pytest.raises(Unavailable):
        once_per_job("charge", charge(gateway, error=Unavailable("away")), on_doubt="repeat")

    assert effects(database_url) == [("charge", "in_doubt", None)]


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("happened", [True, False])
def test_a_person_ends_a_doubt(gateway: Gateway, happened: bool) -> None:
    # Given an effect in doubt
    with running(job_id="job-1", run=1), pytest.raises(TimeoutError):
        once_per_job("charge", charge(gateway, error=TimeoutError()), on_doubt="fail")
    gateway.clear()

    # When somebody has found out
    assert resolve_effect("job-1", "charge", happened=happened)
    assert not resolve_effect("job-1", "another", happened=happened)

    # Then the next run goes by that
    with running(job_id="job-1", run=2):
        result = once_per_job("charge", charge(gateway), on_doubt="fail")
    assert (result, gateway) == ((None, []) if happened else ("ok", ["charged"]))
    assert not resolve_effect("job-1", "charge", happened=False), "what is recorded is no doubt"


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    "result", [date(2026, 3, 1), "a\x00b", {"\x00": 1}, "\ud800", float("nan"), {1: 2}, "x" * 300_000]
)
def test_a_result_that_cannot_be_kept_is_said_and_the_effect_is_recorded(
    gateway: Gateway, database_url: str, result: Any
) -> None:
    with running(job_id="job-1", run=1), pytest.raises(PermanentFailure, match="happened and is recorded, but what"):
        once_per_job("charge", charge(gateway, result), on_doubt="fail")
    with running(job_id="job-1", run=2):
        assert once_per_job("charge", charge(gateway), on_doubt="fail") is None

    assert gateway == ["charged"]
    assert effects(database_url) == [("charge", "done", None)]


@pytest.mark.usefixtures("own")
def test_text_that_looks_like_an_escape_is_kept(gateway: Gateway) -> None:
    for run in (1, 2):
        with running(job_id="job-1", run=run):
            assert once_per_job("charge", charge(gateway, "\\u0000"), on_doubt="fail") == "\\u0000"


@pytest.mark.usefixtures("own")
def test_an_async_effect_happens_once(gateway: Gateway) -> None:
    async def charge() -> str:
        gateway.append("charged")
        return "ok"

    for run in (1, 2):
        with running(job_id="job-1", run=run):
            assert asyncio.run(once_per_job_async("charge", charge, on_doubt="fail")) == "ok"
    assert gateway == ["charged"]
    assert asyncio.run(once_per_job_async("charge", charge, on_doubt="fail")) == "ok", "outside of a job it happens"


@pytest.mark.usefixtures("own")
def test_an_async_effect_leaves_a_doubt_too(gateway: Gateway, database_url: str) -> None:
    async def fails() -> None:
        raise TimeoutError

    with running(job_id="job-1", run=1), pytest.raises(TimeoutError):
        asyncio.run(once_per_job_async("charge", fails, on_doubt="skip"))
    with running(job_id="job-1", run=2):
        assert asyncio.run(once_per_job_async("charge", fails, on_doubt="skip")) is None
    assert effects(database_url) == [("charge", "in_doubt", None)]


@pytest.mark.usefixtures("own")
def test_an_async_effect_that_nobody_awaits_is_found(database_url: str) -> None:
    async def charge() -> str:
        return "ok"

    with running(job_id="job-1"), pytest.raises(PermanentFailure, match="use once_per_job_async"):
        once_per_job("charge", charge, on_doubt="fail")
    assert effects(database_url) == []


def test_outside_of_a_job_the_effect_simply_happens(gateway: Gateway) -> None:
    assert [once_per_job("charge", charge(gateway), on_doubt="fail") for _ in range(2)] == ["ok", "ok"]


@pytest.mark.parametrize("name", ["", "x" * 256, "a\nb", None, 7])
def test_a_name_that_is_none_is_refused(name: Any, gateway: Gateway) -> None:
    with pytest.raises(ConfigurationError, match="an effect is named .*; allowed are 1 to 255 characters"):
        once_per_job(name, charge(gateway), on_doubt="fail")
    assert gateway == []


@pytest.mark.parametrize("policy", ["maybe", None, True])
def test_a_policy_that_is_none_is_refused(policy: Any, gateway: Gateway) -> None:
    with pytest.raises(
        ConfigurationError, match="on_doubt of the effect 'charge' is .*; allowed are repeat, skip, fail"
    ):
        once_per_job("charge", charge(gateway), on_doubt=policy)
    assert gateway == []


@pytest.mark.usefixtures("own")
def test_without_a_database_nothing_happens(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    settings.cache_clear()
    database.cache_clear()

    with running(job_id="job-1"), pytest.raises(Unavailable, match="PostgreSQL at"):
        once_per_job("charge", charge(gateway), on_doubt="fail")
    assert gateway == []


@pytest.mark.usefixtures("own")
def test_an_interrupt_while_the_record_waits_for_the_database_loses_nothing(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(record: object, seconds: float) -> bool:
        raise Interrupt

    monkeypatch.setattr(effect_guard, "patiently", interrupted)
    with running(job_id="job-1"):
        with pytest.raises(Interrupt):
            once_per_job("charge", charge(gateway), on_doubt="fail")
        lease = present(current_lease())

    assert (len(lease.effects), list(lease.options[effect_guard.UNRECORDED])) == (1, ["charge"])


@pytest.mark.usefixtures("own")
def test_a_record_that_the_database_does_not_take_travels_to_the_next_run(
    gateway: Gateway,
    broker: FairBroker,
    start_worker: StartWorker,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Given a job during whose effect the database goes away, and which fails behind it
    monkeypatch.setattr(effect_guard, "RECORD_PATIENCE_SECONDS", 0.1)
    receipts, second, back = [], threading.Event(), threading.Event()

    def charge() -> dict[str, int]:
        gateway.append("charged")
        shut(database_url)
        return {"id": 7}

    @dramatiq.actor(broker=broker, max_retries=2, min_backoff=1, max_backoff=1)
    def act() -> None:
        receipts.append(once_per_job("charge", charge, on_doubt="fail"))
        if len(receipts) == 2:
            second.set()
            back.wait(30)
        if len(receipts) < 3:
            raise RuntimeError("what comes behind it fails")

    # When it runs again, first without the database and then with it
    try:
        sent = act.send()
        start_worker()
        assert second.wait(30)
        assert gateway == ["charged"]
    finally:
        open_again(database_url)
    assert effects(database_url) == [("charge", "intended", None)]
    back.set()
    broker.join("default", timeout=30_000)

    # Then it had its effect once, each run got what the first one got, and the record is written in the end
    assert (gateway, receipts) == (["charged"], [{"id": 7}] * 3)
    assert effects(database_url) == [("charge", "done", {"id": 7})]
    assert f"'charge' of job {sent.message_id} happened; the recorder will write it down" in caplog.text


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("result", [{"id": 7}, "x" * 250_000], ids=["small", "too large for the message"])
def test_the_recorder_writes_what_a_job_could_not_that_completed_without_its_database(
    result: Any,
    gateway: Gateway,
    broker: FairBroker,
    start_worker: StartWorker,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a job whose database goes away during its effect
    monkeypatch.setattr(effect_guard, "RECORD_PATIENCE_SECONDS", 0.1)

    def charge() -> Any:
        gateway.append("charged")
        shut(database_url)
        return result

    @dramatiq.actor(broker=broker, max_retries=0)
    def act() -> None:
        once_per_job("charge", charge, on_doubt="fail")

    # When it has completed, and the database and a recorder are there again
    try:
        sent = act.send()
        start_worker()
        broker.join("default", timeout=30_000)
    finally:
        open_again(database_url)
    assert effects(database_url) == [("charge", "intended", None)]
    with recording(broker, database_url):
        eventually(lambda: broker.journal.read() == [])

    # Then the effect is recorded, and another run would not have it
    assert effects(database_url) == [("charge", "done", result)]
    with running(job_id=sent.message_id):
        assert once_per_job("charge", charge, on_doubt="fail") == result
    assert gateway == ["charged"]


@pytest.fixture
def fleet(tmp_path: Path, fleet_environment: dict[str, str]) -> Iterator[FaultFleet]:
    with fault_fleet(tmp_path, fleet_environment) as fleet:
        fleet.monitor()
        yield fleet


def send(fleet: FaultFleet, *arguments: Any) -> str:
    message = Message[Any](queue_name="work", actor_name="charges", args=arguments, kwargs={}, options={})
    fleet.broker.enqueue(message)
    return message.message_id


def test_kill_9_between_an_effect_and_its_record_leaves_a_doubt_that_the_policy_ends(fleet: FaultFleet) -> None:
    # Given three jobs that each lose their worker right behind their effect
    policies = ("repeat", "skip", "fail")
    sent = []
    for number, policy in enumerate(policies):
        victim = fleet.worker(threads=1, module="effects_actors")
        sent.append(send(fleet, number, policy, "killed"))
        assert victim.wait(PATIENCE).status != 0

    # When another worker runs them again
    fleet.worker(threads=1, module="effects_actors")
    letter = eventually(lambda: fleet.broker.dead_letters.show(sent[2]), PATIENCE)
    fleet.await_completed(2)

    # Then one is charged again, one is taken for done, and one is left to a person
    assert sorted(line[1] for line in fleet.lines("charge")) == ["0", "0", "1", "2"]
    # The next victim may take the first job up, finish it and die before that is settled: then it runs once more.
    assert {tuple(line[1:]) for line in fleet.lines("receipt")} == {("0", '{"receipt":0}'), ("1", "null")}
    assert (letter.reason, letter.attempts) == ("permanent", 1)
    assert "nobody knows whether it happened" in letter.error
    fleet.prove(completed=2, failed=1)
    found = rows(fleet.database_url, "SELECT job_id, status FROM effects")
    assert {row["job_id"]: row["status"] for row in found} == dict(
        zip(sent, ["done", "in_doubt", "in_doubt"], strict=True)
    )


def test_a_retry_behind_an_effect_does_not_repeat_it(fleet: FaultFleet) -> None:
    fleet.worker(threads=1, module="effects_actors")
    job_id = send(fleet, 1, "fail", "raises")
    fleet.await_completed(1)

    assert len(fleet.lines("charge")) == 1
    assert [line[1:] for line in fleet.lines("receipt")] == [["1", '{"receipt":1}']]
    fleet.prove(completed=1)
    assert fleet.runs() == {"retry": 1, "completed": 1}
    (row,) = rows(fleet.database_url, "SELECT * FROM effects")
    assert (row["job_id"], row["name"], row["tenant_id"]) == (job_id, "charge-card", "@system")
    assert row["done_at"] >= row["created_at"]
