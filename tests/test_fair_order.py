"""Between tenants: turns by weight, whatever the others' backlogs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from dramatiq import Message
from scripted_worker import ScriptedWorker
from wide_limits import give_weights

from jobfleet.broker import FairBroker


def send(broker: FairBroker, tenant: str, jobs: int, actor: str = "act") -> list[str]:
    messages: list[Message[Any]] = [
        Message(queue_name="default", actor_name=actor, args=(), kwargs={"tenant_id": tenant}, options={})
        for _ in range(jobs)
    ]
    broker.enqueue_many(messages)
    return [message.message_id for message in messages]


def tenants(worker: ScriptedWorker, most: int) -> list[str]:
    return [row[2] for row in worker.fetch(most)]


def test_tenants_take_turns_however_much_one_of_them_has_sent(broker: FairBroker) -> None:
    send(broker, "flood", 2_000)
    for tenant in ("a", "b", "c"):
        send(broker, tenant, 5)
    first = Counter(tenants(ScriptedWorker(broker), 20))
    assert first == {"flood": 5, "a": 5, "b": 5, "c": 5}


def test_a_new_tenant_starts_within_one_round_of_a_thousand(broker: FairBroker) -> None:
    for number in range(1_000):
        send(broker, f"t{number}", 3)
    worker = ScriptedWorker(broker)
    assert len(set(tenants(worker, 500))) == 500, "one turn each before anyone has a second"
    send(broker, "new", 1)
    round_of_all = tenants(worker, 1_001)
    assert "new" in round_of_all
    assert max(Counter(round_of_all).values()) <= 2
    assert broker.audit().clean


def test_between_equals_who_came_first_is_first(broker: FairBroker) -> None:
    for tenant in ("z", "m", "a"):
        send(broker, tenant, 1)
    broker.enqueue_many(
        [Message("default", "act", (), {"tenant_id": tenant}, {}) for tenant in ("y", "b", "x", "c", "y")]
    )
    assert tenants(ScriptedWorker(broker), 8) == ["z", "m", "a", "y", "b", "x", "c", "y"]


def test_equals_come_back_in_the_order_of_their_sends(broker: FairBroker) -> None:
    """Also where sums have grown so large that a small step would vanish in them."""
    worker = ScriptedWorker(broker)
    virtual = f"{broker.keys.prefix}:vtime"
    for served in (0.0, 1e6, 1e13):
        broker.client.hset(virtual, "default", served)
        for _ in range(2):
            for tenant in ("b", "c", "a"):
                send(broker, tenant, 1)
            assert tenants(worker, 3) == ["b", "c", "a"]


def test_weights_are_shares(broker: FairBroker) -> None:
    give_weights(broker, {"one": 1, "two": 2, "four": 4})
    for tenant in ("one", "two", "four"):
        send(broker, tenant, 400)
    shares = Counter(tenants(ScriptedWorker(broker), 350))
    assert abs(shares["one"] - 50) <= 1 and abs(shares["two"] - 100) <= 1 and abs(shares["four"] - 200) <= 1


def test_a_turn_ends_with_a_job_that_is_longer_than_usual(broker: FairBroker) -> None:
    """The next tenant is many usual jobs ahead, but only one of the long ones."""
    means, virtual = (f"{broker.keys.prefix}:{name}" for name in ("means", "vtime"))
    broker.client.hset(means, mapping={"\tdefault": 10, "slow": 1_000, "quick": 10})
    worker = ScriptedWorker(broker)
    send(broker, "other", 100, actor="quick")
    assert tenants(worker, 50) == ["other"] * 50
    ids = send(broker, "long", 3, actor="quick")
    ids += send(broker, "long", 10, actor="slow")
    before = broker.client.zrange(broker.keys.line("default", "long"), 0, -1, withscores=True)

    broker.client.hset(virtual, "default", 0)
    broker.client.zadd(broker.keys.ring("default"), {"long": 0, "other": 500})
    rows = worker.fetch(10)

    assert [row[0] for row in rows[:4]] == ids[:4], "in their order, until the first long one is charged"
    assert [row[2] for row in rows[4:]] == ["other"] * 6
    line = broker.client.zrange(broker.keys.line("default", "long"), 0, -1, withscores=True)
    assert line == before[4:], "the others have kept their places"
    assert broker.client.hget(virtual, "default") == b"550", "the start of the last job"
    assert broker.audit().clean, str(broker.audit())


def test_a_tenant_that_was_idle_gets_no_credit(broker: FairBroker) -> None:
    send(broker, "busy", 200)
    worker = ScriptedWorker(broker)
    tenants(worker, 100)
    send(broker, "back", 100)
    assert Counter(tenants(worker, 20)) == {"busy": 10, "back": 10}


def test_a_tenant_cannot_skip_its_debt_by_emptying_its_line(broker: FairBroker) -> None:
    send(broker, "other", 100)
    send(broker, "sly", 1)
    worker = ScriptedWorker(broker)
    taken: Counter[str] = Counter()
    for _ in range(20):
        taken.update(tenants(worker, 1))
        if broker.client.zcard(broker.keys.line("default", "sly")) == 0:
            send(broker, "sly", 1)
    assert taken == {"other": 10, "sly": 10}


def test_order_within_a_tenant_is_kept_among_many(broker: FairBroker) -> None:
    sent: dict[str, list[str]] = {"a": [], "b": []}
    for number in range(50):
        tenant = "ab"[number % 2]
        job: Message[Any] = Message(
            queue_name="default", actor_name="act", args=(number,), kwargs={"tenant_id": tenant}, options={}
        )
        sent[tenant].append(broker.enqueue(job).message_id)
    got: dict[str, list[str]] = {"a": [], "b": []}
    worker = ScriptedWorker(broker)
    while rows := worker.fetch(7):
        for row in rows:
            got[row[2]].append(row[0])
    assert got == sent
