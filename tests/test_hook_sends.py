"""What hooks send, and groups: one step with the end of the run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq import Message, Worker
from dramatiq.middleware import CurrentMessage, GroupCallbacks
from dramatiq.rate_limits.backends import StubBackend
from journal_events import recording, rows
from scripted_worker import ScriptedWorker
from wait import eventually, present

from jobfleet.actors import actor, make_broker
from jobfleet.broker import FairBroker, current_job
from jobfleet.middleware.tenant_id import TenantId


@pytest.fixture
def fleet(redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FairBroker]:
    """The fleet's own broker with a worker on it."""
    monkeypatch.setenv("JOBFLEET_NAMESPACE", namespace)
    broker = make_broker(redis_url)
    broker.add_middleware(GroupCallbacks(StubBackend()))
    worker = Worker(broker, worker_threads=4, worker_timeout=100)
    worker.start()
    yield broker
    worker.stop()
    assert broker.audit().clean, str(broker.audit())
    broker.close()


def events(broker: FairBroker) -> list[tuple[str, str, str]]:
    entries = broker.journal.read(count=10_000)
    return [(e.kind, e.actor, e.tenant_id) for entry in entries for e in entry.events if e.kind != "started"]


def test_a_pipeline_hands_results_on_by_name_and_keeps_its_tenant(fleet: FairBroker) -> None:
    seen: list[object] = []

    @actor(broker=fleet)
    def double(*, tenant_id: TenantId, number: int) -> int:
        return number * 2

    @actor(broker=fleet)
    def keep(*, tenant_id: TenantId, doubled: int) -> None:
        job = current_job()
        seen.append((doubled, job.tenant_id if job else None))

    pipeline = dramatiq.pipeline(
        [
            double.message(tenant_id=7, number=4),
            double.message_with_options(kwargs={"tenant_id": 7}, pipe_as="number"),
            keep.message_with_options(kwargs={"tenant_id": 7}, pipe_as="doubled"),
        ],
        broker=fleet,
    )
    pipeline.run()
    eventually(lambda: seen == [(16, "7")])


def test_a_stage_that_does_not_fit_is_a_dead_letter_instead_of_gone(fleet: FairBroker) -> None:
    @actor(broker=fleet)
    def text(*, tenant_id: TenantId) -> str:
        return "no number"

    @actor(broker=fleet)
    def take(*, tenant_id: TenantId, number: int) -> None: ...

    stage = take.message_with_options(kwargs={"tenant_id": 7}, pipe_as="number")
    dramatiq.pipeline([text.message(tenant_id=7), stage], broker=fleet).run()
    (letter,) = eventually(fleet.dead_letters.list)
    assert (letter.job_id, letter.reason, letter.tenant_id) == (stage.message_id, "invalid", "7")
    assert "number" in letter.error
    assert b"no number" in letter.message


def test_a_callback_is_sent_with_the_settle_and_inherits_the_tenant(fleet: FairBroker) -> None:
    told: list[object] = []

    @dramatiq.actor(broker=fleet)
    def tell(data: dict[str, object], result: object) -> None:
        job = current_job()
        told.append((result, job.tenant_id if job else None))

    @actor(broker=fleet)
    def act(*, tenant_id: TenantId) -> int:
        return 5

    act.with_options(on_success="tell").send(tenant_id="acme")
    eventually(lambda: told == [(5, "acme")])


def test_a_send_that_belongs_to_a_settle_is_part_of_it(broker: FairBroker) -> None:
    broker.enqueue(Message(queue_name="default", actor_name="act", args=(), kwargs={}, options={}))
    worker, late = ScriptedWorker(broker), ScriptedWorker(broker)
    ((job_id, *_),) = worker.fetch()
    stage = [1, "stage-1", "default", "acme", "next", 5, 0, "", ""]
    broken = [1, "stage-2", "default", "acme", "next", 5, 0, "", "does not fit"]
    late.held[job_id], late.messages[job_id] = 99, worker.messages[job_id]
    assert late.settle(job_id, "completed", ["", "", 0], sends=[stage]) == 1
    assert broker.get("stage-1") is None, "a settle that comes too late sends nothing"

    assert worker.settle(job_id, "completed", ["", "", 0], sends=[stage, broken]) == 0
    assert worker.settle(job_id, "completed", ["", "", 0], sends=[stage], again=True) == 0
    assert present(broker.get("stage-1")).state == "pending"
    assert present(broker.get("stage-1")).tenant_id == "acme"
    assert [(d.job_id, d.reason, d.error) for d in broker.dead_letters.list()] == [
        ("stage-2", "invalid", "does not fit")
    ]
    assert broker.audit().clean


def test_a_groups_callback_runs_once_after_all_its_members(fleet: FairBroker) -> None:
    done: list[int] = []
    called: list[int] = []

    @dramatiq.actor(broker=fleet, min_backoff=10)
    def member(number: int) -> None:
        job = current_job()
        if number == 2 and job and job.attempt == 1:
            raise RuntimeError("once")
        done.append(number)

    @dramatiq.actor(broker=fleet)
    def complete() -> None:
        called.append(len(done))

    group = dramatiq.group([member.message(n) for n in range(6)], broker=fleet)
    group.add_completion_callback(complete.message())
    group.run()
    eventually(lambda: called == [6])


def test_a_result_that_no_stage_could_carry_fails_its_own_job(fleet: FairBroker) -> None:
    @dramatiq.actor(broker=fleet)
    def strange() -> object:
        return object()

    @dramatiq.actor(broker=fleet)
    def take(value: object) -> None: ...

    dramatiq.pipeline([strange.message(), take.message_with_options()], broker=fleet).run()
    letters = eventually(lambda: {d.actor: d.reason for d in fleet.dead_letters.list()})
    assert letters["strange"] == "bad_result"


def group_of(fleet: FairBroker, members: list[Message[Any]], callback: Message[Any]) -> None:
    group = dramatiq.group(members, broker=fleet)
    group.add_completion_callback(callback)
    group.run()


def test_policy_is_stamped_on_a_groups_callback_as_on_any_send(fleet: FairBroker, database_url: str) -> None:
    @actor(broker=fleet)
    def member(*, tenant_id: TenantId) -> None: ...

    @actor(broker=fleet, redact=["password"])
    def complete(*, tenant_id: TenantId, password: str) -> None: ...

    callback = complete.with_options(idempotency_key="k").message(tenant_id=7, password="sesame")
    group_of(fleet, [member.message(tenant_id=7) for _ in range(3)], callback)
    eventually(lambda: ("completed", complete.actor_name, "7") in events(fleet))
    with recording(fleet, database_url):
        eventually(lambda: fleet.journal.read() == [])
    (row,) = rows(database_url, "SELECT payload FROM job_logs WHERE job_type = 'complete'")
    assert row["payload"] == {"tenant_id": "7", "password": "[redacted]"}
    again = complete.with_options(idempotency_key="k").send(tenant_id=7, password="sesame")
    assert (again.message_id, again.options["duplicate"]) == (callback.message_id, True), "its key protects"


@pytest.mark.parametrize("options", [{"priority": 0}, {"idempotency_key": "k", "idempotency_ttl": -1}])
def test_a_groups_callback_that_is_invalid_is_a_dead_letter_and_the_others_run(
    fleet: FairBroker, options: dict[str, Any]
) -> None:
    called: list[str] = []

    @dramatiq.actor(broker=fleet)
    def member() -> None: ...

    @dramatiq.actor(broker=fleet)
    def complete(word: str) -> None:
        called.append(word)

    group = dramatiq.group([member.message() for _ in range(2)], broker=fleet)
    wrong = complete.message_with_options(args=("wrong",), **options)
    group.add_completion_callback(wrong)
    group.add_completion_callback(complete.message("right"))
    group.run()
    (letter,) = eventually(fleet.dead_letters.list)
    assert (letter.job_id, letter.reason) == (wrong.message_id, "invalid")
    eventually(lambda: called == ["right"])


def test_a_member_counts_when_it_completes_and_not_when_its_run_ends_otherwise(fleet: FairBroker) -> None:
    called: list[str] = []

    @dramatiq.actor(broker=fleet)
    def member() -> None: ...

    @dramatiq.actor(broker=fleet)
    def strange() -> object:
        return object()

    @dramatiq.actor(broker=fleet)
    def again() -> None:
        called.append("run")
        message: Any = CurrentMessage.get_current_message()
        if called.count("run") == 1:
            fleet.enqueue(message._message, delay=300)

    @dramatiq.actor(broker=fleet)
    def complete(word: str) -> None:
        called.append(word)

    group_of(fleet, [member.message(), strange.message()], complete.message("with a dead member"))
    fleet.add_middleware(CurrentMessage())
    group_of(fleet, [member.message(), again.message()], complete.message("all"))
    (letter,) = eventually(fleet.dead_letters.list)
    assert (letter.actor, letter.reason) == ("strange", "bad_result")
    eventually(lambda: called == ["run", "run", "all"])


def test_a_member_whose_key_belongs_to_a_job_already_is_none_and_the_group_completes(fleet: FairBroker) -> None:
    called: list[str] = []

    @actor(broker=fleet)
    def member(*, tenant_id: TenantId) -> int:
        return 1

    @actor(broker=fleet)
    def complete(*, tenant_id: TenantId, word: str) -> None:
        called.append(word)

    def keyed() -> Message[Any]:
        return member.with_options(idempotency_key="k").message(tenant_id=7)

    def plain() -> Message[Any]:
        return member.message(tenant_id=7)

    def group(word: str, *members: Any) -> None:
        group_of(fleet, list(members), complete.message(tenant_id=7, word=word))
        eventually(lambda: called[-1:] == [word])

    fleet.enqueue(keyed())
    group("first", keyed(), plain(), plain())
    group("in the middle", plain(), keyed(), plain())
    group("last", plain(), keyed(), keyed())
    group("a whole pipeline", plain(), dramatiq.pipeline([keyed(), plain()], broker=fleet))
    again = keyed()
    group("all, one of them twice", keyed(), again, again)
    assert len(called) == 5
