"""Why a job does not run yet, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from dramatiq import Message
from model_fleet import Clock
from scripted_worker import ScriptedWorker
from wait import present

from jobfleet.broker import FairBroker
from jobfleet.broker.job_state import JobState
from jobfleet.broker.limits import Limits
from jobfleet.broker.scripts import pack
from jobfleet.broker.why import Why
from jobfleet.middleware.tenant_limits import TenantLimits

LATER = 3_600_000
LIMITS = Limits(plan="free", concurrency=1, per_minute=50, weight=1, max_backlog=99)


@pytest.fixture(autouse=True)
def clean_audit(broker: FairBroker) -> Iterator[None]:
    yield
    assert broker.audit().clean, str(broker.audit())


@pytest.fixture
def limited(broker: FairBroker) -> FairBroker:
    broker.add_middleware(TenantLimits())
    broker.limits.publish({"free": LIMITS}, {}, version=1)
    return broker


def serve(broker: FairBroker, *queues: str) -> None:
    """A worker is there, as one introduces itself."""
    facts = ["host", "test", "queues", " ".join(queues)]
    broker.scripts.call("register", pack(["serving", 60_000, facts, queues, [], ""]))


def send(
    broker: FairBroker, tenant: str = "a", *, queue: str = "default", delay: int | None = None, **options: Any
) -> str:
    message = Message[Any](queue, "act", (), {"tenant_id": tenant}, options)
    return broker.enqueue(message, delay=delay).message_id


def ask(broker: FairBroker, job_id: str) -> Why:
    return present(broker.why(job_id))


def kinds(why: Why) -> list[str]:
    return [reason.kind for reason in why.reasons]


def test_its_turn(broker: FairBroker) -> None:
    # Given two jobs of one tenant behind one of another
    serve(broker, "email", "default")
    other, first, second = send(broker, "a"), send(broker, "b"), send(broker, "b")
    # Then each knows who goes before it
    assert str(ask(broker, other).reasons[0]) == "it is the next of its tenant, whose turn is next"
    why = ask(broker, first)
    assert (why.state, why.queue, why.tenant_id, why.actor) == ("pending", "default", "b", "act")
    assert kinds(why) == ["turn"]
    assert str(why.reasons[0]) == "it is the next of its tenant, and 1 other tenant has a turn before"
    assert str(ask(broker, second).reasons[0]).startswith("1 job of its tenant is ahead of it, and 1 other")


def test_no_worker_and_what_is_paused_come_first(limited: FairBroker) -> None:
    job_id = send(limited)
    limited.pause("default")
    limited.pause_actor("act")
    paused = Limits(plan="free", concurrency=1, per_minute=50, weight=1, max_backlog=99, paused=True)
    limited.limits.publish({}, {"a": paused}, version=2)
    serve(limited, "email")
    why = ask(limited, job_id)
    assert kinds(why) == ["queue_paused", "actor_paused", "tenant_paused", "no_worker", "turn"]
    assert why.may_run_ms is None
    assert "no worker serves the queue default" in str(why)


def test_a_tenant_at_its_concurrency(limited: FairBroker) -> None:
    serve(limited, "default")
    send(limited)
    waiting = send(limited)
    worker = ScriptedWorker(limited)
    assert len(worker.fetch(5)) == 1
    worker.fetch(5)
    why = ask(limited, waiting)
    assert kinds(why) == ["tenant_concurrency", "turn"]
    assert str(why.reasons[0]) == "its tenant a runs 1 of at most 1 job at once (plan free)"
    assert str(why.reasons[1]).endswith("whose turn comes when it may run more")


def test_a_tenants_rate(limited: FairBroker) -> None:
    serve(limited, "default")
    for _ in range(50):
        send(limited)
    first, second = send(limited, on_limit="delay"), send(limited, on_limit="delay", delay=LATER)
    why = ask(limited, first)
    assert (why.state, kinds(why)) == ("scheduled", ["tenant_rate"])
    assert str(why.reasons[0]) == "the rate of its tenant a is 50 jobs in 60 s (plan free): it is held, and the next"
    assert 0 < present(why.may_run_ms) - why.now_ms <= 60_001
    later = ask(limited, second)
    assert kinds(later) == ["tenant_rate", "delayed"]
    assert "with 1 job ahead of it" in str(later)
    assert present(later.may_run_ms) - later.now_ms > 60_001


def test_how_long_a_rate_holds_a_job_that_has_others_ahead(limited: FairBroker) -> None:
    # Given a tenant whose rate was used up over fifty seconds
    clock = Clock(limited.client, limited.keys.prefix, 60_000)
    limited.limits.publish({}, {"a": replace(LIMITS, max_backlog=1_000)}, version=2)
    for _ in range(LIMITS.per_minute):
        send(limited)
        clock.advance(1_000)
    # When a job is held behind as many as two minutes and a half let in
    held = [send(limited, on_limit="delay") for _ in range(126)]
    # Then its moment is that minute's of the one that went 25 seconds after the first
    begin = clock.now - 50_000
    assert ask(limited, held[0]).may_run_ms == begin + 60_001
    assert ask(limited, held[-1]).may_run_ms == begin + 25_000 + 3 * 60_001


def test_a_delay_a_backoff_and_a_postponed_run(broker: FairBroker) -> None:
    serve(broker, "default")
    worker = ScriptedWorker(broker)
    delayed, failing, put_off = send(broker, delay=LATER), send(broker), send(broker)
    worker.fetch(2)
    worker.retry(failing, LATER)
    worker.postpone(put_off, LATER)
    assert kinds(ask(broker, delayed)) == ["delayed"]
    why = ask(broker, failing)
    assert str(why.reasons[0]) == "attempt 1 has failed, and it backs off"
    assert LATER - 60_000 < present(why.may_run_ms) - why.now_ms <= LATER
    assert why.state == "scheduled"
    assert str(ask(broker, put_off).reasons[0]) == "its run was postponed: something it needs was away"


def test_what_became_of_the_last_run_is_told_whatever_was_before(broker: FairBroker) -> None:
    serve(broker, "default")
    worker, job_id = ScriptedWorker(broker), send(broker)
    for settle, kind in ((worker.retry, "backing_off"), (worker.postpone, "postponed")) * 2:
        assert len(worker.fetch()) == 1
        settle(job_id, LATER)
        assert kinds(ask(broker, job_id)) == [kind]
        assert broker.run_now(job_id) == "ready"
    worker.fetch()
    assert "attempt 3" in str(ask(broker, job_id))


def test_one_that_was_held_and_has_a_delay_of_its_own_was_never_postponed(limited: FairBroker) -> None:
    clock = Clock(limited.client, limited.keys.prefix, 60_000)
    serve(limited, "default")
    for _ in range(LIMITS.per_minute):
        send(limited)
    job_id = send(limited, on_limit="delay", delay=LATER)
    assert kinds(ask(limited, job_id)) == ["tenant_rate", "delayed"]
    # When its tenant's rate lets it in, later
    clock.advance(5_000)
    limited.limits.publish({}, {"a": replace(LIMITS, per_minute=100)}, version=2)
    # Then only its delay is left
    assert kinds(ask(limited, job_id)) == ["delayed"]


def test_a_queues_rate(broker: FairBroker) -> None:
    clock = Clock(broker.client, broker.keys.prefix, 60_000)
    serve(broker, "webhook")
    ids = [send(broker, queue="webhook") for _ in range(102)]
    worker = ScriptedWorker(broker, queues=("webhook",))
    assert len(worker.fetch(200, queue="webhook", rate=100)) == 100
    why = ask(broker, ids[-1])
    assert kinds(why) == ["queue_rate", "turn"]
    assert "starts 100 jobs in a second at most" in str(why)
    assert why.may_run_ms == clock.now + 1_001
    # When that second is over
    clock.advance(1_001)
    assert kinds(ask(broker, ids[-1])) == ["turn"]


def test_a_suspect(broker: FairBroker) -> None:
    serve(broker, "default")
    job_id = send(broker)
    for _ in range(2):
        worker = ScriptedWorker(broker)
        worker.fetch(1)
        broker.scripts.call("bury_worker", worker.worker)
    why = ask(broker, job_id)
    assert kinds(why) == ["suspect"]
    assert "lost its worker 2 times, so it runs alone" in str(why)


def test_one_that_was_put_aside(broker: FairBroker) -> None:
    serve(broker, "default")
    job_id = send(broker)
    broker.pause_actor("act")
    ScriptedWorker(broker).fetch()
    assert kinds(ask(broker, job_id)) == ["actor_paused"]
    broker.client.srem(broker.keys.paused, "actor:act")
    assert kinds(ask(broker, job_id)) == ["actor_resumed"]
    broker.resume_actor("act")
    assert kinds(ask(broker, job_id)) == ["turn"]


def test_one_that_runs_and_one_that_is_dead(broker: FairBroker) -> None:
    worker = ScriptedWorker(broker)
    running = send(broker)
    worker.fetch()
    worker.settle(running, "progress", [0.25, "quarter"])
    assert worker.worker in str(ask(broker, running))
    assert "attempt 1, 25% done quarter" in str(ask(broker, running))
    broker.cancel(running)
    assert kinds(ask(broker, running)) == ["running", "cancelling"]
    dead = send(broker)
    worker.fetch()
    worker.fail(dead, "ValueError: no")
    why = ask(broker, dead)
    assert (why.state, str(why.reasons[0])) == ("failed", "it is dead (exhausted): ValueError: no")


def test_one_whose_worker_has_missed_its_lease(broker: FairBroker) -> None:
    clock = Clock(broker.client, broker.keys.prefix, 60_000)
    worker, job_id = ScriptedWorker(broker), send(broker)
    worker.fetch()
    assert kinds(ask(broker, job_id)) == ["running"]
    clock.advance(60_001)
    why = ask(broker, job_id)
    assert kinds(why) == ["running", "worker_late"]
    assert "missed its lease: the job is about to be taken back" in str(why)


class Log:
    """A job log with one job in it."""

    def __init__(self, job: JobState) -> None:
        self._job = job

    def job(self, job_id: str) -> JobState | None:
        return self._job if job_id == self._job.job_id else None


def test_one_that_is_over_is_known_from_the_log(broker: FairBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    state = JobState(
        job_id="old",
        state="completed",
        queue="default",
        tenant_id="a",
        actor="act",
        priority=5,
        attempts=2,
        created_ms=1,
        since_ms=2,
    )
    monkeypatch.setattr(broker, "archive", Log(state))
    why = ask(broker, "old")
    assert (why.state, str(why.reasons[0])) == ("completed", "it is over: completed after 2 attempts")
    assert broker.why("nobody") is None
