"""Each script, executed twice because the first reply was lost: the second run changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dramatiq import Message
from lossy_proxy import LossyProxy, script_names
from model_fleet import Clock, ModelWorker, everything
from wide_limits import give_weights

from jobfleet.broker import FairBroker, scripts
from jobfleet.broker.policy import KEY_TTL
from jobfleet.broker.scripts import pack

LEASE_MS = 600_000


@pytest.fixture
def lossy_proxy(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LossyProxy]:
    monkeypatch.setattr(scripts, "PAUSE_SECONDS", 0.0)
    with LossyProxy(redis_url) as proxy:
        yield proxy


def message(job_id: str, tenant: str) -> Message[Any]:
    return Message[Any]("default", "act", (), {"tenant_id": tenant}, {}, job_id)


class Scene:
    """A namespace with one job in each state, and whoever is there."""

    def __init__(self, straight: FairBroker, lossy: FairBroker) -> None:
        self.straight, self.lossy = straight, lossy
        self.clock = Clock(straight.client, straight.keys.prefix, LEASE_MS)
        self.worker = ModelWorker(lossy, "w1", LEASE_MS, ("default",))
        self.idle = ModelWorker(straight, "w2", LEASE_MS, ("default",))
        self.messages = [
            message(f"{state}-{tenant}", tenant) for state in ("dead", "active", "waiting") for tenant in ("a", "b")
        ]
        straight.enqueue_many(self.messages)
        for job_id in self.worker.fetch_from(["default"], 2):
            self.worker.settle_all([(job_id, 1, "failed", 5, 0)])
        self.worker.fetch_from(["default"], 2)
        straight.enqueue(message("scheduled-a", "a"), delay=50)
        straight.journal.announce()
        straight.scripts.call("group", "g", 3, 60_000)


def settle(kind: str) -> Callable[[Scene], Any]:
    return lambda s: s.worker.settle_all([("active-a", 2, kind, 7, 10 if kind == "postponed" else 0)])


def fetch_when_due(scene: Scene) -> None:
    scene.clock.advance(50)
    scene.worker.fetch_from(["default"], 2)


def after_a_lapse(act: Callable[[Scene], Any]) -> Callable[[Scene], Any]:
    def call(scene: Scene) -> None:
        for _ in range(2):
            scene.clock.advance(LEASE_MS // 2)
            scene.idle.beat()
        act(scene)

    return call


def everything_recorded(scene: Scene) -> None:
    entries = scene.straight.journal.read(count=1_000)
    events = sum(len(entry.events) for entry in entries)
    scene.lossy.journal.recorded(entries[-1].position, events, [("default", "dead-a")])


def put_aside(scene: Scene) -> None:
    """The waiting jobs were looked at while their actor was paused."""
    scene.straight.pause_actor("act")
    scene.idle.fetch_from(["default"], 2)


def resume_what_was_put_aside(scene: Scene) -> None:
    put_aside(scene)
    scene.lossy.resume_actor("act")


def go_on_resuming(scene: Scene) -> None:
    put_aside(scene)
    scene.straight.client.srem(scene.straight.keys.paused, "actor:act")
    scene.straight.client.hset(scene.straight.keys.resuming, "default", "-inf")
    scene.lossy.upkeep()


def resume_what_was_paused(scene: Scene) -> None:
    scene.straight.pause("default")
    scene.lossy.resume("default")


NEW = message("new", "c")
KEYED = message("keyed", "c").copy(options={"idempotency_key": "k", KEY_TTL: 60_000})
RUNNING_ONES = pack([0, "", "a", "", {"active": 1}, ["active-a", "active-b", "waiting-a"]])


def damaged(damage: Callable[[FairBroker], object], script: str, *args: bytes | str) -> Callable[[Scene], Any]:
    def call(scene: Scene) -> None:
        damage(scene.straight)
        scene.lossy.scripts.call_once(script, *args)

    return call


def recorded_after_the_recorder_was_forgotten(scene: Scene) -> None:
    scene.straight.client.hdel(scene.straight.keys.fleet, "recorder", "events")
    everything_recorded(scene)


def mend_the_fleet(scene: Scene) -> None:
    scene.straight.client.hdel(scene.straight.keys.fleet, "sequence", "ended")
    scene.lossy.scripts.call("repair_fleet", "100")


def mend_a_type(scene: Scene) -> None:
    scene.straight.client.set(scene.straight.keys.gates, "scribble")
    scene.lossy.scripts.call("repair_types", pack([":gates", "zset"]))


def mend_a_key(scene: Scene) -> None:
    scene.straight.enqueue(KEYED)
    for key in scene.straight.client.scan_iter(match=f"{scene.straight.keys.prefix}:key:*"):
        scene.straight.client.delete(key)
    assert scene.lossy.scripts.call("repair_keys", pack(["keyed", "digest"]), pack([])) == [[1], []]


def mend_a_field(name: str) -> Callable[[Scene], Any]:
    def call(scene: Scene) -> None:
        scene.straight.client.hset(scene.straight.keys.fleet, name, "scribble")
        scene.lossy.scripts.call("repair_fields", pack(["fleet", name, "scribble"]))

    return call


#: What repairs do to keys that were damaged by hand.
REPAIRS: list[tuple[str, Callable[[Scene], Any]]] = [
    ("repair_types", mend_a_type),
    *(("repair_fields", mend_a_field(name)) for name in ("full", "sequence", "ended", "recorder", "events")),
    ("repair_keys", mend_a_key),
    ("repair_fleet", mend_the_fleet),
    ("repair_worker", damaged(lambda b: b.client.zrem(b.keys.workers, "w1"), "repair_worker", "w1")),
    (
        "repair_jobs",
        damaged(
            lambda b: b.client.zadd(b.keys.line("default", "b"), {"waiting-a": 1}),
            "repair_jobs",
            pack(["waiting-a", "default", "b"]),
        ),
    ),
    (
        "repair_jobs",
        damaged(lambda b: b.client.delete(b.keys.failures), "repair_jobs", pack(["dead-a", "", "", "dead-b", "", ""])),
    ),
    ("repair_waiting", damaged(lambda b: b.client.delete(b.keys.waiting("default")), "repair_waiting", "default")),
    ("repair_totals", damaged(lambda b: b.client.delete(b.keys.backlog, b.keys.metrics), "repair_totals")),
]

#: Script, and how it is called; what must have happened before is in the call too, on the other connection.
CALLS: list[tuple[str, Callable[[Scene], Any]]] = [
    ("enqueue", lambda s: s.lossy.enqueue(NEW)),
    ("enqueue", lambda s: s.lossy.enqueue(NEW, delay=10)),
    ("enqueue", lambda s: s.lossy.enqueue_many([NEW, *s.messages])),
    ("enqueue_limited", lambda s: s.lossy.enqueue(KEYED)),
    ("enqueue_limited", lambda s: s.lossy.enqueue_many([NEW, KEYED])),
    ("fetch", fetch_when_due),
    ("fetch", after_a_lapse(lambda s: s.worker.fetch_from(["default"], 2))),
    *(
        ("settle", settle(kind))
        for kind in (
            "started",
            "progress",
            "completed",
            "skipped",
            "cancelled",
            "retry",
            "failed",
            "released",
            "postponed",
        )
    ),
    ("settle", lambda s: s.worker.settle_all([("active-a", 1, "completed", 7, 0)])),
    ("heartbeat", lambda s: s.worker.beat(names={"active-a": 2})),
    ("leave", lambda s: s.lossy.scripts.call("leave", "w1")),
    ("register", lambda s: ModelWorker(s.lossy, "w3", LEASE_MS, ("default",))),
    ("bury_worker", lambda s: s.lossy.scripts.call("bury_worker", "w1")),
    ("upkeep", after_a_lapse(lambda s: s.lossy.upkeep())),
    *(
        ("cancel", lambda s, place=place: s.lossy.cancel(f"{place}-a"))
        for place in ("waiting", "scheduled", "active", "dead")
    ),
    ("replay", lambda s: s.lossy.dead_letters.replay(["dead-a", "waiting-a"])),
    ("discard", lambda s: s.lossy.dead_letters.discard(["dead-a", "waiting-a"])),
    ("cancel_many", lambda s: s.lossy.flush("default")),
    ("cancel_many", lambda s: s.lossy.scripts.call_once("cancel_many", RUNNING_ONES)),
    *(
        ("run_now", lambda s, place=place: s.lossy.run_now(f"{place}-a"))
        for place in ("waiting", "scheduled", "active", "dead")
    ),
    ("resume_actor", resume_what_was_put_aside),
    ("resume_queue", resume_what_was_paused),
    ("upkeep", go_on_resuming),
    ("set_limits", lambda s: give_weights(s.lossy, {"a": 3})),
    ("group", lambda s: s.lossy.scripts.call("group", "g", 3, 60_000)),
    ("group_arrive", lambda s: s.lossy.scripts.call("group_arrive", "g", "active-a", 60_000)),
    ("group_shrink", lambda s: s.lossy.scripts.call("group_shrink", "g", 1)),
    ("announce", lambda s: s.lossy.journal.announce()),
    ("recorded", everything_recorded),
    ("recorded", recorded_after_the_recorder_was_forgotten),
    ("find", lambda s: s.lossy.get("active-a")),
    *(("why", lambda s, place=place: s.lossy.why(f"{place}-a")) for place in ("waiting", "active", "dead")),
    ("tenant_loads", lambda s: s.lossy.tenant_loads()),
    ("stats", lambda s: s.lossy.stats()),
    ("neighbours", lambda s: s.lossy.scripts.call("neighbours", "machine")),
    ("gauges", lambda s: s.lossy.scripts.call("gauges", pack([["default", 0, []]]))),
    ("scale", lambda s: s.lossy.scripts.call("scale", "default", 1_000)),
    ("audit_jobs", lambda s: s.lossy.audit()),
    ("audit_queue", lambda s: s.lossy.audit()),
    ("audit_tenants", lambda s: s.lossy.audit()),
    ("audit_slots", lambda s: s.lossy.audit()),
    ("audit_totals", lambda s: s.lossy.audit()),
    ("audit_types", lambda s: s.lossy.audit()),
    ("audit_keys", lambda s: (s.straight.enqueue(KEYED), s.lossy.audit())),
    *REPAIRS,
]


@pytest.mark.parametrize(("name", "call"), CALLS, ids=[f"{name}-{at}" for at, (name, _) in enumerate(CALLS)])
def test_a_script_that_runs_twice_changes_nothing_the_second_time(
    name: str, call: Callable[[Scene], Any], redis_url: str, namespace: str, lossy_proxy: LossyProxy
) -> None:
    straight, lossy = (FairBroker(url=url, namespace=namespace) for url in (redis_url, lossy_proxy.url))
    scene = Scene(straight, lossy)
    after_once: list[dict[str, Any]] = []
    before = lossy_proxy.twice[name]

    lossy_proxy.lose_next(name, lambda: after_once.append(everything(straight.client, straight.keys.prefix)))
    call(scene)

    assert lossy_proxy.twice[name] == before + 1
    assert everything(straight.client, straight.keys.prefix) == after_once[0]
    assert straight.audit().clean, str(straight.audit())
    straight.close()
    lossy.close()


def test_no_script_is_left_out() -> None:
    assert {name for name, _ in CALLS} == set(script_names())
