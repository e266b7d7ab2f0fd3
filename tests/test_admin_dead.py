"""Dead letters over HTTP: never more than what was meant, and never silent about what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from admin_site import data, refusal
from dramatiq import Message
from http_client import Client
from journal_events import recording
from scripted_worker import ScriptedWorker
from wait import eventually

from jobfleet.broker import FairBroker
from jobfleet.broker.errors import JobfleetError
from jobfleet.broker.limits import Limits
from jobfleet.broker.settings import settings

FILTERS = ("queue", "tenant", "actor", "error")


def kill(broker: FairBroker, errors: Sequence[str], *, queue: str = "zoo", tenant: str = "acme") -> list[str]:
    """Jobs that died of the errors, in this order; returns their ids."""
    jobs = [Message[Any](queue, "feed", (), {"tenant_id": tenant}, {}) for _ in errors]
    broker.enqueue_many(jobs)
    worker = ScriptedWorker(broker, queues=(queue,))
    died: list[str] = []
    for error in errors:
        ((job_id, *_),) = worker.fetch(queue=queue)
        worker.fail(job_id, error)
        died.append(job_id)
    return died


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("what", ["discard", "replay"])
def test_an_empty_filter_is_refused_and_touches_nothing(
    admin: Client, broker: FairBroker, what: str, name: str
) -> None:
    # Given dead letters of two queues
    dead = {*kill(broker, ["lions"]), *kill(broker, ["bears"], queue="park", tenant="zoo")}

    # When all are meant to go that match nothing in particular
    said = refusal(admin.post(f"/admin/dead/{what}", json={name: ""}), 422)

    # Then nothing is done, and it is said which value is none
    assert said.startswith(f"{name}: ")
    assert {letter["job_id"] for letter in data(admin.get("/admin/dead"))} == dead
    assert name in refusal(admin.get(f"/admin/dead?{name}="), 422)
    assert name in refusal(admin.get(f"/admin/dead/groups?{name}="), 422)


@pytest.mark.parametrize("name", FILTERS)
def test_an_empty_filter_is_refused_in_python_too(broker: FairBroker, name: str) -> None:
    kill(broker, ["lions"])

    with pytest.raises(JobfleetError, match=f"^{name} is empty"):
        broker.dead_letters.list(**{name: ""})  # type: ignore[arg-type]


def test_a_dead_letter_names_the_plan_of_its_tenant(viewer: Client, broker: FairBroker) -> None:
    free, pro = (Limits(plan, concurrency=9, per_minute=99, weight=1, max_backlog=99) for plan in ("free", "pro"))
    broker.limits.publish({"free": free, "pro": pro}, {"acme": pro}, version=1)
    kill(broker, ["lions"])
    (unknown,) = kill(broker, ["lions"], tenant="unknown")
    (system,) = kill(broker, ["lions"], tenant="@system")

    plans = {letter["tenant_id"]: letter["plan"] for letter in data(viewer.get("/admin/dead"))}

    assert plans == {"acme": "pro", "unknown": "free", "@system": ""}
    assert data(viewer.get(f"/admin/dead/{unknown}"))["plan"] == "free"
    assert data(viewer.get(f"/admin/dead/{system}"))["plan"] == ""


def test_the_older_of_many_errors_is_not_hidden_by_the_newer(viewer: Client, broker: FairBroker) -> None:
    # Given more dead letters of one error than a page has, and after them a page of another
    kill(broker, ["lions are hungry"] * 150)
    kill(broker, ["bears are cold"] * 100)

    grouped = data(viewer.get("/admin/dead/groups"))
    counts = [(group["error"], group["count"]) for group in grouped["groups"]]
    assert counts == [("lions are hungry", 150), ("bears are cold", 100)]
    assert (grouped["looked_at"], grouped["more"]) == (250, False)

    # And who looks at fewer is told that there are more
    some = data(viewer.get("/admin/dead/groups", params={"limit": 100}))
    assert [group["error"] for group in some["groups"]] == ["bears are cold"]
    assert (some["looked_at"], some["more"]) == (100, True)


def test_a_bulk_change_says_that_there_is_more(admin: Client, broker: FairBroker) -> None:
    kill(broker, ["lions"] * 5)
    chosen = {"queue": "zoo", "limit": 3}

    for expected in ((3, True), (2, False)):
        dry = data(admin.post("/admin/dead/discard", json={**chosen, "dry_run": True}))
        done = data(admin.post("/admin/dead/discard", json=chosen))
        for answer in (dry, done):
            assert (answer["matched"], answer["more"]) == expected
        assert len(done["job_ids"]) == expected[0]


def test_what_redis_and_postgresql_hold_is_one_list(
    viewer: Client, broker: FairBroker, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given dead letters of two queues in turns, of which Redis has let the older ones go
    monkeypatch.setenv("JOBFLEET_DEAD_LETTERS_MAX", "2")
    settings.cache_clear()
    broker.journal.announce()
    died = [kill(broker, ["lions"], queue=queue)[0] for queue in ("zoo", "park") * 4]
    with recording(broker, database_url):
        eventually(lambda: broker.journal.read() == [])
    assert broker.client.zcard(broker.keys.dead("zoo")) == 2

    listed = data(viewer.get("/admin/dead", params={"limit": 7}))

    # Then both answer as one, the newest first
    moments = [letter["failed_ms"] for letter in listed]
    assert moments == sorted(moments, reverse=True)
    assert len(listed) == 7
    assert {letter["job_id"] for letter in listed} >= set(died[2:])
    assert data(viewer.get("/admin/dead/groups"))["looked_at"] == len(died)
