"""What hands can do to a fleet's keys; each is done to an ``AuditScene``, with the kinds of findings that name it."""

from __future__ import annotations

from collections.abc import Callable

from audit_scene import AuditScene

from jobfleet.broker.scripts import pack

Damage = Callable[[AuditScene], object]


def lose_the_record(s: AuditScene) -> None:
    s.broker.client.hdel(s.broker.keys.jobs, "waiting")


def lose_the_record_of_a_run(s: AuditScene) -> None:
    s.broker.client.hdel(s.broker.keys.jobs, "active")


def lose_the_record_of_what_is_held(s: AuditScene) -> None:
    s.broker.client.hdel(s.broker.keys.jobs, "held")


def scribble_over_the_record(s: AuditScene) -> None:
    s.broker.client.hset(s.broker.keys.jobs, "waiting", "scribble")


def lose_the_place(s: AuditScene) -> None:
    s.broker.client.zrem(s.broker.keys.line("default", "acme"), "waiting")


def stand_in_two_places(s: AuditScene) -> None:
    s.broker.client.zadd(s.broker.keys.scheduled("default"), {"waiting": 1})


def stand_in_anothers_line(s: AuditScene) -> None:
    s.broker.client.zadd(s.broker.keys.line("default", "other"), {"waiting": 1})


def be_held_for_another(s: AuditScene) -> None:
    s.broker.client.zadd(s.broker.keys.held("rated"), {"waiting": 10_000})


def stand_in_another_queue(s: AuditScene) -> None:
    s.broker.client.zadd(s.broker.keys.scheduled("alone"), {"waiting": 1})


def lose_the_turn(s: AuditScene) -> None:
    s.broker.client.zrem(s.broker.keys.ring("default"), "acme")


def lose_the_lease(s: AuditScene) -> None:
    s.broker.client.hdel(s.broker.keys.leases(s.worker.worker), "active")


def scribble_over_the_lease(s: AuditScene) -> None:
    s.broker.client.hset(s.broker.keys.leases(s.worker.worker), "active", "scribble")


def be_leased_and_wait(s: AuditScene) -> None:
    s.broker.client.zrem(s.broker.keys.active("default"), "active")
    s.broker.client.zadd(s.broker.keys.line("default", "acme"), {"active": 1})


def forget_the_worker(s: AuditScene) -> None:
    s.broker.client.zrem(s.broker.keys.workers, s.worker.worker)


def forget_why(s: AuditScene) -> None:
    s.broker.client.hdel(s.broker.keys.failures, "dead")


def miscount(s: AuditScene) -> None:
    s.broker.client.hincrby(s.broker.keys.waiting("default"), "n", 1)


def count_a_completion_twice(s: AuditScene) -> None:
    s.broker.client.hincrby(s.broker.keys.metrics, "jobs_processed\tdefault\tact\tcompleted", 1)


def scribble_over_a_counter(s: AuditScene) -> None:
    s.broker.client.hset(s.broker.keys.metrics, "jobs_enqueued\tdefault\tact", "scribble")


def lose_a_slot(s: AuditScene) -> None:
    s.broker.client.hincrby(s.broker.keys.running, "one", 1)


def free_a_slot(s: AuditScene) -> None:
    """As a settle would that frees one and is cut off there."""
    s.broker.client.hdel(s.broker.keys.leases(s.worker.worker), "running")
    s.broker.client.hdel(s.broker.keys.running, "one")
    s.broker.client.zrem(s.broker.keys.active("default"), "running")


def scribble_over_a_count(s: AuditScene) -> None:
    s.broker.client.hset(s.broker.keys.running, "one", "scribble")


def forget_who_is_parked(s: AuditScene) -> None:
    s.broker.client.hdel(s.broker.keys.parked, "one")


def scribble_over_who_is_parked(s: AuditScene) -> None:
    s.broker.client.hset(s.broker.keys.parked, "one", "scribble")


def park_and_leave_the_turn(s: AuditScene) -> None:
    s.broker.client.zadd(s.broker.keys.ring("default"), {"one": 0})


def lose_the_gate(s: AuditScene) -> None:
    s.broker.client.zrem(s.broker.keys.gates, "rated")


def leave_a_gate(s: AuditScene) -> None:
    s.broker.client.zadd(s.broker.keys.gates, {"acme": 1})


def miscount_what_is_held(s: AuditScene) -> None:
    s.broker.client.hincrby(s.broker.keys.held_jobs, "default", 1)


def miscount_the_backlog(s: AuditScene) -> None:
    s.broker.client.hincrby(s.broker.keys.backlog, "acme", 7)


def forget_the_pause(s: AuditScene) -> None:
    s.broker.client.srem(s.broker.keys.paused, "actor:stop")


def forget_the_queue(s: AuditScene) -> None:
    s.broker.client.srem(s.broker.keys.queues, "alone")


def forget_the_key(s: AuditScene) -> None:
    (key,) = (name for name in s.names() if name.startswith("key:"))
    s.broker.client.delete(s.prefix + key)


def scribble_over_the_key(s: AuditScene) -> None:
    (key,) = (name for name in s.names() if name.startswith("key:"))
    s.broker.client.set(s.prefix + key, "scribble")


def scribble_over_a_plan(s: AuditScene) -> None:
    s.broker.client.hset(s.broker.keys.plans, "free", "scribble")


def scribble_over_a_tenant(s: AuditScene) -> None:
    s.broker.client.hset(s.broker.keys.tenants, "one", pack(["one", 1, 1_000, 0, 1_000, 0]))


def scribble_over_the_fair_order(s: AuditScene) -> None:
    s.broker.client.hset(s.broker.keys.prefix + ":vtime", "default", "scribble")


def scribble_over_a_mean(s: AuditScene) -> None:
    s.broker.client.hset(s.broker.keys.prefix + ":means", "act", "scribble")


def scribble_over_where_to_go_on(s: AuditScene) -> None:
    s.broker.client.hset(s.broker.keys.resuming, "default", "scribble")


def scribble_over_why(s: AuditScene) -> None:
    s.broker.client.hset(s.broker.keys.failures, "dead", "scribble")


def scribble_over_the_state(field: str) -> Damage:
    """Something in the fleet's state that is no number."""

    def scribble(s: AuditScene) -> None:
        s.broker.client.hset(s.broker.keys.fleet, field, "scribble")

    return scribble


def scribble_over_a_worker(field: str) -> Damage:
    """Something in what a worker says of itself that is no number."""

    def scribble(s: AuditScene) -> None:
        s.broker.client.hset(s.broker.keys.worker(s.worker.worker), field, "scribble")

    return scribble


def scribble_over_a_group(field: str) -> Damage:
    """Something in a group that is no number."""

    def scribble(s: AuditScene) -> None:
        s.broker.client.hset(f"{s.prefix}group:members", field, "scribble")

    return scribble


def forget_the_state(s: AuditScene) -> None:
    s.broker.client.delete(s.broker.keys.fleet)


def count_arrivals_anew(s: AuditScene) -> None:
    """As sends do after the fleet's state was deleted."""
    s.broker.client.hset(s.broker.keys.fleet, "sequence", 1)


def say_why_of_nobody(s: AuditScene) -> None:
    s.broker.client.hset(s.broker.keys.failures, "nobody", "scribble")


def mark_what_waits(s: AuditScene) -> None:
    s.broker.client.hset(s.broker.keys.cancels, "waiting", 1)


def describe_a_stranger(s: AuditScene) -> None:
    s.broker.client.hset(s.broker.keys.worker("stranger"), "threads", 4)


def count_for_nobodys_queue(s: AuditScene) -> None:
    s.broker.client.hset(s.broker.keys.waiting("nobodys"), "n", 3)


#: All that scripts read of the fleet's state.
STATE = ["last", "behind", "grace", "lease", "recorder", "events", "sequence", "full", "unrecorded", "ended", "limits"]

#: With the jobs whose records are lost: they cannot run.
DAMAGES: list[tuple[Damage, set[str], set[str]]] = [
    (lose_the_record, {"ghost", "records"}, {"waiting"}),
    (lose_the_record_of_a_run, {"ghost", "records", "backlog"}, {"active"}),
    (lose_the_record_of_what_is_held, {"ghost", "records"}, {"held"}),
    (scribble_over_the_record, {"format"}, {"waiting"}),
    (lose_the_place, {"lost", "conservation", "waiting", "backlog"}, set()),
    (stand_in_two_places, {"twice", "conservation", "records", "backlog"}, set()),
    (stand_in_anothers_line, {"line", "backlog"}, set()),
    (be_held_for_another, {"line", "held", "backlog", "fleet"}, set()),
    (stand_in_another_queue, {"line", "conservation", "records", "backlog"}, set()),
    (lose_the_turn, {"ring", "conservation", "waiting"}, set()),
    (lose_the_lease, {"lease", "leases", "slots"}, set()),
    (scribble_over_the_lease, {"lease", "slots"}, set()),
    (be_leased_and_wait, {"lease", "leases", "waiting", "records"}, set()),
    (forget_the_worker, {"lease", "leases", "slots", "worker"}, set()),
    (forget_why, {"failure"}, set()),
    (miscount, {"waiting", "records"}, set()),
    (count_a_completion_twice, {"conservation"}, set()),
    (scribble_over_a_counter, {"counter", "conservation"}, set()),
    (lose_a_slot, {"slots"}, set()),
    (free_a_slot, {"lost", "conservation", "records", "backlog", "parked"}, set()),
    (scribble_over_a_count, {"slots"}, set()),
    (forget_who_is_parked, {"ring", "conservation", "waiting", "parked"}, set()),
    (scribble_over_who_is_parked, {"ring", "conservation", "waiting", "parked"}, set()),
    (park_and_leave_the_turn, {"parked"}, set()),
    (lose_the_gate, {"gate", "held"}, set()),
    (leave_a_gate, {"gate"}, set()),
    (miscount_what_is_held, {"held", "conservation", "records"}, set()),
    (miscount_the_backlog, {"backlog"}, set()),
    (forget_the_pause, {"halted"}, set()),
    (forget_the_queue, {"queue", "records", "backlog"}, set()),
    (forget_the_key, {"key"}, set()),
    (scribble_over_the_key, {"key"}, set()),
    (scribble_over_a_plan, {"field"}, set()),
    (scribble_over_a_tenant, {"field"}, set()),
    (scribble_over_the_fair_order, {"field"}, set()),
    (scribble_over_a_mean, {"field"}, set()),
    (scribble_over_where_to_go_on, {"field"}, set()),
    *((scribble_over_the_state(field), {"field"}, set[str]()) for field in STATE),
    *((scribble_over_a_worker(field), {"field"}, set[str]()) for field in ("fetch", "threads")),
    *((scribble_over_a_group(field), {"field"}, set[str]()) for field in ("size", "repeats")),
    (forget_the_state, {"fleet"}, set()),
    (count_arrivals_anew, {"fleet"}, set()),
    (scribble_over_why, {"failure"}, set()),
    (say_why_of_nobody, {"failure"}, set()),
    (mark_what_waits, {"cancel"}, set()),
    (describe_a_stranger, {"worker"}, set()),
    (count_for_nobodys_queue, {"queue"}, set()),
]
